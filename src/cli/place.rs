//! Where a command acts: the folder or the configuration that its words name.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::arguments::Place;
use crate::config::Config;

impl Place {
    /// The configuration: read from its file, or the default one of the data folder.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        match (&self.config, &self.data) {
            (Some(file), _) => Config::load(file).context("the configuration cannot be used"),
            (None, Some(data)) => Ok(Config::in_folder(data)),
            (None, None) => bail!("say where the data lies: --data DIR or --config FILE"),
        }
    }

    /// The control socket of the server that runs there.
    pub(super) fn socket(&self) -> anyhow::Result<PathBuf> {
        Ok(self.config()?.data.join("control.sock"))
    }
}
