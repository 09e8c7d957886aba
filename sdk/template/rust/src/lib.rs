//! Widgets: resources of an HTTP JSON API, in full or by what was changed since the last run.
//!
//! What makes this API what it is stands in [`resources`] and in the manifest. Change both, and `fixtures/api.py` with them.

use serde::Deserialize;
use sluice_sdk::api::{Api, Columns, Increment, Paging, Resource, Resources, Type};
use sluice_sdk::{
    CheckStep, Config, Cursor, DiscoverFilter, DiscoverPage, Hints, Manifest, Output, Plan, Result, Selection, Source, Split,
};

/// How to reach the API.
#[derive(Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub struct WidgetsConfig {
    /// Where the API is.
    #[config(title = "URL", example = "https://api.example.com", format = "uri")]
    pub url: String,
    /// The key of an account that may read. It stays with the host, which adds it to each request.
    #[config(title = "API key", secret)]
    pub api_key: Option<String>,
}

/// The API as a source.
#[derive(Manifest)]
#[manifest(
    name = "widgets",
    title = "Widgets",
    description = "Orders and customers of an HTTP JSON API, in full or by the time of their last change.",
    config = WidgetsConfig,
    hosts("{url}"),
    auth(header(name = "X-Api-Key", value = "api_key")),
    capabilities(incremental)
)]
pub struct Widgets {
    api: Api,
    resources: Resources,
}

sluice_sdk::export!(Widgets);

/// The API's resources, each of them a stream.
fn resources() -> Resources {
    let orders = Columns::new()
        .required("id", Type::Int)
        .optional("customer", Type::Text)
        .at("/customer/name")
        .optional("total", Type::Decimal(12, 2))
        .optional("weight", Type::Float)
        .optional("paid", Type::Bool)
        .optional("placed_on", Type::Date)
        .optional("address", Type::Json)
        .required("updated_at", Type::Timestamp);
    let customers = Columns::new().required("id", Type::Int).optional("name", Type::Text);
    Resources::new([
        Resource::new("orders", "/orders", orders)
            .records("/data")
            .paging(Paging::cursor("/next_cursor", "cursor"))
            .query("limit", "100")
            .key(["id"])
            .increment(Increment::by("updated_at", "updated_since").ascending()),
        Resource::new("customers", "/customers", customers)
            .records("/data")
            .paging(Paging::number("page", 10))
            .key(["id"]),
    ])
}

impl Source for Widgets {
    type Config = WidgetsConfig;

    fn open(config: WidgetsConfig) -> Result<Self> {
        let api = Api::new(&config.url).map_err(|error| error.field("/url"))?;
        Ok(Self { api, resources: resources() })
    }

    fn check(&mut self) -> Result<Vec<CheckStep>> {
        Ok(self.resources.check(&self.api))
    }

    fn discover(&mut self, filter: &DiscoverFilter, page: Option<&str>) -> Result<DiscoverPage> {
        Ok(self.resources.discover(filter, page))
    }

    fn plan(&mut self, selections: &[Selection], hints: &Hints) -> Result<Plan> {
        self.resources.plan(selections, hints)
    }

    fn read(&mut self, split: &Split, start: Option<&Cursor>, output: &mut Output) -> Result<()> {
        self.resources.read(&self.api, split, start, output)
    }
}
