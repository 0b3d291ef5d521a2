//! The shapes of a network's parameters, known before there is any memory for them.

use super::Model;
use crate::mtl::settings::{Settings, Shared};
use crate::tensor::Shape;

impl Model {
    /// The name and shape of every parameter but the embedding of the network that `settings` describe, over words of `channels`
    /// numbers. A file is validated against them before the network is made.
    pub fn shapes(settings: &Settings, tasks: &[String], channels: usize) -> Vec<(String, Shape)> {
        let Settings { units, filters, kernel_width, shared, .. } = *settings;
        let mut shapes = Vec::new();
        let mut add = |name: String, shape: &[usize]| shapes.push((name, Shape::from(shape)));
        if shared != Shared::Conv {
            for direction in ["forward", "backward"] {
                let name = |part: &str| format!("shared.bilstm.{direction}.{part}");
                add(name("kernel"), &[channels, 4 * units]);
                add(name("recurrent_kernel"), &[units, 4 * units]);
                add(name("bias"), &[4 * units]);
            }
        }
        if shared != Shared::Bilstm {
            let channels = if shared == Shared::Conv { channels } else { 2 * units };
            add("shared.conv.kernel".into(), &[kernel_width, channels, filters]);
            add("shared.conv.bias".into(), &[filters]);
        }
        let width = if shared == Shared::Bilstm { 2 * units } else { filters };
        for task in tasks {
            add(format!("heads.{task}.kernel"), &[width, 1]);
            add(format!("heads.{task}.bias"), &[1]);
        }
        shapes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        autograd::ParamStore,
        mtl::{model::EmbeddingInit, settings::Preset},
        tensor::Tensor,
    };

    #[test]
    fn they_are_those_of_the_network() {
        for shared in [Shared::Bilstm, Shared::Conv, Shared::BilstmConv] {
            let settings =
                Settings { shared, units: 5, filters: 7, kernel_width: 2, ..Settings::preset(Preset::Default) };
            let (tasks, mut params) = (["a".to_owned(), "b".to_owned()], ParamStore::<f32>::new());
            let table = EmbeddingInit { weight: Tensor::zeros([9, 3]), trainable: true };
            Model::new(&settings, &tasks, &table, &mut params);
            let made: Vec<(String, Shape)> =
                params.ids().map(|id| (params.name(id).to_owned(), params.value(id).shape())).collect();
            assert_eq!(Model::shapes(&settings, &tasks, 3), made[1..], "{shared:?}");
        }
    }
}
