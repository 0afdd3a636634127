//! A repository that a server keeps.

use std::sync::Arc;

use gix::ObjectId;

use crate::core::Core;
use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::refs::RefList;
use crate::store::Store;
use crate::url::RepoUrl;

pub(crate) enum Remote {}

impl Remote {
    pub(crate) fn new(
        _: &Arc<Core>,
        url: &RepoUrl,
        _: Arc<Credentials>,
    ) -> Result<Self, SourceError> {
        Err(SourceError::NotBuilt { url: url.shown(), what: "reading from a server" })
    }
    pub(crate) async fn list(&self, _: &Core) -> Result<RefList, SourceError> {
        match *self {}
    }
    pub(crate) fn ask_for(&self, _: &str) -> bool {
        match *self {}
    }
    pub(crate) async fn fetch_all(&self, _: &Core, _: &RefList) -> Result<(), SourceError> {
        match *self {}
    }
    pub(crate) async fn ensure(
        &self,
        _: &Core,
        _: ObjectId,
        _: &RefList,
    ) -> Result<bool, SourceError> {
        match *self {}
    }
    pub(crate) fn store(&self) -> Result<Arc<Store>, SourceError> {
        match *self {}
    }
}
