//! The page of a training's measurements: `train --probe gradients` writes it beside them.

use anyhow::Result;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::{
    run::RunDirectory,
    training::{ALL, Block, Measurement},
};
use serde::Serialize;
use serde_json::json;

use crate::page::{
    self,
    charts::{self, Drawing},
    numbers::{decimals, rounded_percent},
};

/// Points of a curve at most. Single measurements scatter widely; fewer points show their course.
const POINTS: usize = 60;

/// Draws what was measured so far.
pub fn write(run: &RunDirectory) -> Result<()> {
    let measurements = run.measurements()?;
    let tasks: Vec<String> = run.manifest()?.tasks.keys().cloned().collect();
    let page = Page::new(&measurements, &tasks);
    let mut environment = page::environment();
    environment.add_template("probe.html", include_str!("probe.html")).expect("the template is valid");
    let text = page::render(&mut environment, "probe.html", &charts::scripts(), Value::from(Serde(page)))?;
    run.write_probe_page(&text)?;
    Ok(())
}

/// What the template sees.
#[derive(Serialize)]
struct Page {
    tasks: Vec<String>,
    /// "flu and vaccine".
    pairs: Vec<String>,
    measurements: usize,
    last: u64,
    in_a_point: usize,
    /// A sentence a pair of tasks: how they get on over all shared parameters.
    answers: Vec<String>,
    sections: Vec<Section>,
    rows: Vec<Row>,
}

/// Charts that are read in one way.
#[derive(Serialize)]
struct Section {
    heading: &'static str,
    explanation: &'static str,
    charts: Vec<Drawing>,
}

/// The means of one block.
#[derive(Serialize)]
struct Row {
    block: String,
    cells: Vec<String>,
}

/// A number of a measurement; none where a task was absent.
type Of<'o> = Box<dyn Fn(&Measurement) -> Option<f64> + 'o>;

impl Page {
    fn new(measurements: &[Measurement], tasks: &[String]) -> Self {
        let places: Vec<(usize, usize)> =
            (0..tasks.len()).flat_map(|i| (i + 1..tasks.len()).map(move |j| (i, j))).collect();
        let pairs: Vec<String> = places.iter().map(|&(i, j)| format!("{} and {}", tasks[i], tasks[j])).collect();
        let in_a_point = measurements.len().div_ceil(POINTS).max(1);
        let curves = Curves { points: measurements.chunks(in_a_point).collect() };
        let blocks: Vec<&String> = measurements.first().map_or(Vec::new(), |first| first.blocks.keys().collect());
        let of_pairs = |block: &'_ str, of: fn(&mtlcore::mtl::training::PairOfTasks) -> f64| -> Vec<(String, Of<'_>)> {
            let series = |(&(i, j), name): (&(usize, usize), &String)| {
                let (block, pair) = (block.to_owned(), [tasks[i].clone(), tasks[j].clone()]);
                let of: Of<'_> = Box::new(move |measurement: &Measurement| {
                    measurement.blocks.get(&block)?.pairs.iter().find(|found| found.tasks == pair).map(of)
                });
                (name.clone(), of)
            };
            places.iter().zip(&pairs).map(series).collect()
        };
        let of_tasks = |block: &str, of: fn(&Block, &str) -> Option<f64>| -> Vec<(String, Of<'_>)> {
            let series = |task: &String| {
                let (block, name) = (block.to_owned(), task.clone());
                let of: Of<'_> = Box::new(move |measurement: &Measurement| of(measurement.blocks.get(&block)?, &name));
                (task.clone(), of)
            };
            tasks.iter().map(series).collect()
        };
        let affinities: Vec<(String, Of<'_>)> = places
            .iter()
            .flat_map(|&(i, j)| [(i, j), (j, i)])
            .map(|(i, j)| {
                let of: Of<'_> = Box::new(move |m: &Measurement| m.affinity.get(&tasks[i])?.get(&tasks[j]).copied());
                (format!("{} for {}", tasks[i], tasks[j]), of)
            })
            .collect();
        let norm: fn(&Block, &str) -> Option<f64> = |block, task| block.norms.get(task).copied();
        let share: fn(&Block, &str) -> Option<f64> = |block, task| block.update_share.get(task).copied();

        let each_block = |of: fn(&mtlcore::mtl::training::PairOfTasks) -> f64, levels: &[f64]| -> Vec<Drawing> {
            blocks.iter().map(|block| curves.chart(block, &of_pairs(block, of), levels)).collect()
        };
        let all = "all shared parameters";
        let mut sections = Vec::new();
        if !measurements.is_empty() && !places.is_empty() {
            sections.push(Section {
                heading: "Agreement",
                explanation: "The cosine of the angle between two tasks’ gradients: 1 where they pull alike, 0 where they do not \
                              concern each other, below 0 where they are in conflict.",
                charts: each_block(|pair| pair.cosine, &[0.0]),
            });
            sections.push(Section {
                heading: "Share of steps in conflict",
                explanation: "Of all measurements so far, those in which the cosine was below 0.",
                charts: each_block(|pair| pair.conflict_share, &[0.5]),
            });
        }
        if !measurements.is_empty() {
            sections.push(Section {
                heading: "Length of the gradients",
                explanation: "How hard each task pulls. With equal weights, the longer gradient decides.",
                charts: vec![curves.chart(all, &of_tasks(ALL, norm), &[])],
            });
            sections.push(Section {
                heading: "Share of the update",
                explanation: "How much of what the update (after Adam) does for the losses, to first order, it does for each task; \
                              below 0 it goes against the task.",
                charts: vec![curves.chart(all, &of_tasks(ALL, share), &[0.0])],
            });
        }
        if !measurements.is_empty() && !affinities.is_empty() {
            sections.push(Section {
                heading: "Lookahead affinity",
                explanation: "By which share a small step for one task alone makes the other’s loss smaller on the same batch; below 0 \
                              it makes it larger.",
                charts: vec![curves.chart(all, &affinities, &[0.0])],
            });
        }
        let row = |block: &&String| {
            let mut cells = Vec::new();
            let pairs = of_pairs(block, |pair| pair.cosine).into_iter();
            for ((_, cosine), (_, conflict)) in pairs.zip(of_pairs(block, |pair| f64::from(pair.cosine < 0.0))) {
                cells.push(mean(measurements, &cosine).map_or("–".into(), |x| decimals(x, 3)));
                cells.push(
                    mean(measurements, &conflict).map_or("–".into(), |x| format!("{} %", decimals(100.0 * x, 1))),
                );
            }
            for (_, of) in of_tasks(block, norm).into_iter().chain(of_tasks(block, share)) {
                cells.push(mean(measurements, &of).map_or("–".into(), |x| decimals(x, 3)));
            }
            Row { block: block.to_string(), cells }
        };
        let answer = |((name, cosine), (_, conflict)): ((String, Of<'_>), (String, Of<'_>))| {
            let (cosine, conflict) = (mean(measurements, &cosine)?, mean(measurements, &conflict)?);
            Some(format!(
                "{name}: in conflict at {} of the steps measured, mean cosine {}.",
                rounded_percent(conflict),
                decimals(cosine, 2)
            ))
        };
        let cosines = of_pairs(ALL, |pair| pair.cosine).into_iter();
        let answers = cosines.zip(of_pairs(ALL, |pair| f64::from(pair.cosine < 0.0))).filter_map(answer).collect();
        Self {
            answers,
            rows: blocks.iter().map(row).collect(),
            tasks: tasks.to_vec(),
            pairs,
            measurements: measurements.len(),
            last: measurements.last().map_or(0, |last| last.step),
            in_a_point,
            sections,
        }
    }
}

/// The measurements, some of them to a point.
struct Curves<'m> {
    points: Vec<&'m [Measurement]>,
}

impl Curves<'_> {
    /// A chart of several series, with lines at some levels.
    fn chart(&self, label: &str, series: &[(String, Of<'_>)], levels: &[f64]) -> Drawing {
        let mut points = Vec::new();
        for (name, of) in series {
            let step = |point: &[Measurement]| {
                point.iter().map(|measurement| measurement.step).sum::<u64>() / point.len() as u64
            };
            let curve: Vec<(u64, f64)> =
                self.points.iter().filter_map(|point| Some((step(point), mean(point, of)?))).collect();
            let values: Vec<f64> = curve.iter().map(|(_, value)| *value).collect();
            points.extend(curve.iter().zip(smoothed(&values)).map(|((step, value), smoothed)| {
                json!({ "series": name, "step": step, "value": value, "smoothed": smoothed })
            }));
        }
        let levels: Vec<serde_json::Value> = levels.iter().map(|level| json!({ "level": level })).collect();
        let chart = charts::chart(include_str!("curve.vl.json"), json!({ "points": points, "levels": levels }));
        Drawing { label: label.to_owned(), chart }
    }
}

/// Points on each side over which a curve is smoothed.
const BESIDE: usize = 5;

/// The mean of each value and of its neighbours.
fn smoothed(values: &[f64]) -> Vec<f64> {
    let mean = |at: usize| {
        let near = &values[at.saturating_sub(BESIDE)..values.len().min(at + BESIDE + 1)];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..values.len()).map(mean).collect()
}

/// The mean over those measurements in which the number is there.
fn mean(measurements: &[Measurement], of: &Of<'_>) -> Option<f64> {
    let values: Vec<f64> = measurements.iter().filter_map(of).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::smoothed;

    #[test]
    fn smoothing_keeps_straight_lines_and_calms_jagged_ones() {
        let line: Vec<f64> = (0..30).map(f64::from).collect();
        assert_eq!(smoothed(&line)[5..25], line[5..25]);
        let jagged: Vec<f64> = (0..30).map(|i| f64::from(i % 2)).collect();
        assert!(smoothed(&jagged)[5..25].iter().all(|value| (value - 0.5).abs() < 0.05));
        assert_eq!((smoothed(&[]), smoothed(&[2.0])), (vec![], vec![2.0]));
    }

    /// Else Vega warns of two legends for one field, in every reader's console.
    #[test]
    fn colour_and_dashes_of_a_series_share_a_legend() {
        let chart: serde_json::Value = serde_json::from_str(include_str!("curve.vl.json")).unwrap();
        let encoding = &chart["layer"][1]["encoding"];
        assert!(encoding["color"]["legend"].is_object());
        assert_eq!(encoding["color"]["legend"], encoding["strokeDash"]["legend"]);
    }
}
