//! Rows of ids in JSON Lines: labels stand in an object `label`, as the flu-vaccine set has them, or beside the id.

use std::path::Path;

use super::{IdRow, Ids, digits, id_column, refuse_taken};
use crate::mtl::data::{Cells, Json, Object, RowReader, reader::parse_object};
use crate::printable::quoted;
use crate::{Error, Result};

/// Reads all rows; `columns` as in [`Ids::read`].
pub(super) fn read(path: &Path, columns: &[String], mut reader: RowReader) -> Result<Ids> {
    let mut objects = Vec::new();
    while let Some(row) = reader.next_row()? {
        if let Cells::Object(object) = row.cells {
            let label = match object.get("label") {
                Some(Json::Other(label)) if label.starts_with('{') => parse_object(label)
                    .map_err(|message| Error::line(path, row.line, format!("\"label\": {message}")))?,
                _ => Object::new(),
            };
            objects.push((row.line, object, label));
        }
    }
    let id_name = columns.first().or(id_column(reader.columns())).map_or("id", String::as_str);
    let labels = match columns {
        [_, labels @ ..] => labels.to_vec(),
        [] => {
            let mut names: Vec<String> = Vec::new();
            for name in objects.iter().flat_map(|(_, _, label)| label.keys()) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        }
    };
    refuse_taken(path, &labels)?;
    let row = |(line, object, label): &(u64, Object, Object)| {
        let id = object.get(id_name).map(spelt);
        let id = id.ok_or_else(|| Error::line(path, *line, format!("no {}, expected an id", quoted(id_name))))?;
        let value = |name: &String| label.get(name).or_else(|| object.get(name)).map_or("", spelt).to_owned();
        Ok(IdRow { id: digits::require_id(path, *line, id)?, labels: labels.iter().map(value).collect() })
    };
    let rows = objects.iter().map(row).collect::<Result<_>>()?;
    Ok(Ids { path: path.into(), labels, rows })
}

/// A value as a table has it.
fn spelt(value: &Json) -> &str {
    match value {
        Json::Text(text) => text,
        Json::Other(other) if **other == *Json::NULL => "",
        Json::Other(other) => other,
    }
}
