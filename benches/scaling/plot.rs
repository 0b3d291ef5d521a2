//! The curves as one SVG file, both axes logarithmic.

use std::{error::Error, path::Path};

use plotters::prelude::*;

use crate::Axis;

const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)]; // of Okabe & Ito
const TILE: (u32, u32) = (420, 300);

pub fn write(path: &Path, axes: &[Axis]) -> Result<(), Box<dyn Error>> {
    let rows = axes.len().div_ceil(2);
    let root = SVGBackend::new(path, (2 * TILE.0, rows as u32 * TILE.1)).into_drawing_area();
    root.fill(&WHITE)?;
    for (tile, axis) in root.split_evenly((rows, 2)).iter().zip(axes) {
        let points = || axis.series.iter().flat_map(|series| &series.points);
        // `room` is for the legend above the lines.
        let bounds = |of: fn(&(usize, f64)) -> f64, room: f64| {
            let (low, high) = points().map(of).fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
            (low / 1.5..high * room).log_scale()
        };
        let sizes = axis.series[0].points.iter().map(|point| point.0 as f64).collect();
        let mut chart = ChartBuilder::on(tile)
            .caption(format!("seconds of an epoch against {}", axis.name), ("sans-serif", 14))
            .margin(10)
            .x_label_area_size(30)
            .y_label_area_size(50)
            .build_cartesian_2d(
                bounds(|point| point.0 as f64, 1.5).with_key_points(sizes),
                bounds(|point| point.1, 6.0),
            )?;
        chart.configure_mesh().disable_mesh().x_label_formatter(&f64::to_string).y_labels(6).draw()?;
        for (series, colour) in axis.series.iter().zip(COLOURS) {
            let line = series.points.iter().map(|&(size, seconds)| (size as f64, seconds));
            chart
                .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?
                .label(series.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
            chart.draw_series(line.map(|at| Circle::new(at, 3, colour.filled())))?;
        }
        chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).border_style(TRANSPARENT).draw()?;
    }
    root.present()?;
    Ok(())
}
