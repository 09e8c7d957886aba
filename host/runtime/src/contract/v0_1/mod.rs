//! Version 0.1 of the contract.

use async_trait::async_trait;
use sluice_core::plan::{CheckStep, Cursor, DiscoverFilter, DiscoverPage, PlanHints, ReadPlan, Selection, Split};
use wasmtime::Store;
use wasmtime::component::{HasSelf, InstancePre, Linker};

use super::{Called, Guest};
use crate::instance::store::StoreData;

mod bindings;
mod convert;
mod imports;

pub(super) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    use bindings::sluice::source::{items, log, net, output, types};
    types::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)?;
    output::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)?;
    items::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)?;
    log::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)?;
    net::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)?;
    imports::push_from_memory(linker)
}

pub(super) fn fits(pre: &InstancePre<StoreData>) -> wasmtime::Result<()> {
    bindings::ConnectorPre::new(pre.clone()).map(drop)
}

pub(super) async fn instantiate(
    pre: &InstancePre<StoreData>,
    store: &mut Store<StoreData>,
) -> wasmtime::Result<Box<dyn Guest>> {
    let guest = bindings::ConnectorPre::new(pre.clone())?.instantiate_async(store).await?;
    Ok(Box::new(Connector { guest }))
}

struct Connector {
    guest: bindings::Connector,
}

#[async_trait]
impl Guest for Connector {
    async fn check(&self, store: &mut Store<StoreData>, config: &str) -> Called<Vec<CheckStep>> {
        let steps = self.guest.sluice_source_source().call_check(store, config).await?;
        Ok(steps.map(convert::check_steps).map_err(convert::error))
    }

    async fn discover(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        filter: &DiscoverFilter,
        page: Option<&str>,
    ) -> Called<DiscoverPage> {
        let filter = convert::filter(filter);
        let page = self.guest.sluice_source_source().call_discover(store, config, &filter, page).await?;
        match page {
            Ok(page) => Ok(Ok(convert::discover_page(page)?)),
            Err(error) => Ok(Err(convert::error(error))),
        }
    }

    async fn plan(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        selections: &[Selection],
        hints: PlanHints,
    ) -> Called<ReadPlan> {
        let selections: Vec<_> = selections.iter().map(convert::selection).collect();
        let hints = convert::hints(hints);
        match self.guest.sluice_source_source().call_plan(store, config, &selections, hints).await? {
            Ok(plan) => Ok(Ok(convert::read_plan(plan)?)),
            Err(error) => Ok(Err(convert::error(error))),
        }
    }

    async fn read(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        split: &Split,
        start: Option<&Cursor>,
    ) -> Called<()> {
        let start = start.map(|cursor| &cursor.0);
        let read = self.guest.sluice_source_source().call_read(store, config, &convert::split(split), start).await?;
        Ok(read.map_err(convert::error))
    }

    async fn acknowledge(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        stream: &str,
        cursor: &Cursor,
    ) -> Called<()> {
        let done = self.guest.sluice_source_source().call_acknowledge(store, config, stream, &cursor.0).await?;
        Ok(done.map_err(convert::error))
    }

    async fn close(&self, store: &mut Store<StoreData>) -> Called<()> {
        self.guest.sluice_source_source().call_close(store).await.map(Ok)
    }
}
