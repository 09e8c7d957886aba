//! The behaviour that every sink must show.

use async_trait::async_trait;
use sluice_core::RunError;
use sluice_core::load::TableName;
use sluice_sinks::contract::{Readback, Subject, names, run};

use crate::support::World;

#[async_trait]
impl Readback for World {
    async fn ids(&self, table: &TableName, day: Option<&str>) -> Result<Vec<i64>, RunError> {
        let day = day.map(|day| format!(" WHERE snapshot_date = DATE '{day}'")).unwrap_or_default();
        let rows = self.query(&format!("SELECT id FROM `{}`.`{}`{day}", table.dataset, table.table)).await;
        Ok(rows.iter().map(|row| row[0].as_str().unwrap().parse().unwrap()).collect())
    }

    async fn columns(&self, table: &TableName) -> Result<Vec<String>, RunError> {
        let described = self.describe(&table.table).await;
        let fields = described["schema"]["fields"].as_array().unwrap();
        Ok(fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect())
    }
}

#[tokio::test]
async fn the_bigquery_sink_behaves_as_every_sink_must() {
    let world = World::new("contract").await;
    let prefix = world.dataset[world.dataset.len() - 30..].to_owned();
    let subject = Subject { sink: &world.sink, readback: &world, dataset: world.dataset.clone(), prefix };
    let report = run(&subject, &[]).await;
    assert_eq!(report.failed, []);
    assert_eq!(report.passed.len(), names().count());
}
