//! Rows of ids in a table, whose first line may be a header or a row.

use std::path::Path;

use super::{IdRow, Ids, digits, id_column, refuse_taken};
use crate::mtl::data::{Cell, Column, Row, RowReader};
use crate::printable::listed;
use crate::{Error, Result};

/// Reads all rows; `columns` as in [`Ids::read`].
pub(super) fn read(path: &Path, columns: &[String], mut reader: RowReader) -> Result<Ids> {
    if digits::is_number(reader.columns()[0].trim()) {
        let names = names_of(path, columns, reader.columns().len())?;
        reader = reader.without_header(names);
    }
    let (id, labels) = chosen(&reader, columns)?;
    let names: Vec<String> = labels.iter().map(|column| column.name.clone()).collect();
    refuse_taken(path, &names)?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        let id = digits::require_id(path, row.line, field(&row, &id))?;
        rows.push(IdRow { id, labels: labels.iter().map(|label| field(&row, label).to_owned()).collect() });
    }
    Ok(Ids { path: path.into(), labels: names, rows })
}

/// Names of the columns of a file without a header.
fn names_of(path: &Path, columns: &[String], found: usize) -> Result<Vec<String>> {
    match columns {
        [] if found == 1 => Ok(vec![super::ID_COLUMNS[0].to_owned()]),
        [] => {
            let message = format!(
                "its first line is a row, so its {found} columns have no names; name them, as in --columns id,related"
            );
            Err(Error::file(path, message))
        }
        columns if columns.len() == found => Ok(columns.to_vec()),
        columns => {
            let message = format!(
                "its rows have {found} fields, and --columns names {}: {}; name each, the id first",
                columns.len(),
                listed(columns)
            );
            Err(Error::file(path, message))
        }
    }
}

/// The column of the id, and those that are kept.
fn chosen(reader: &RowReader, columns: &[String]) -> Result<(Column, Vec<Column>)> {
    if let [id, labels @ ..] = columns {
        let labels = labels.iter().map(|label| reader.column(label)).collect::<Result<_>>()?;
        return Ok((reader.column(id)?, labels));
    }
    let names = reader.columns();
    let id = id_column(names).unwrap_or(&names[0]);
    let labels = names.iter().filter(|name| *name != id).map(|label| reader.column(label)).collect::<Result<_>>()?;
    Ok((reader.column(id)?, labels))
}

fn field<'r>(row: &'r Row, column: &Column) -> &'r str {
    match row.cell(column) {
        Cell::Text(text) | Cell::Value(text) => text.trim(),
        Cell::Absent => "",
    }
}
