/**
 * Widgets: resources of an HTTP JSON API, in full or by what was changed since the last run.
 *
 * What makes this API what it is stands in `resources` and in the manifest. Change both, and `fixtures/api.py` with them.
 */

import { config, exported, type Hints, type Output, secret, type Selection, type Source, text, type Values } from "sluice-sdk";
import type { CheckStep, DiscoverFilter, DiscoverPage, Plan, Split } from "sluice-sdk";
import { Api, Columns, Increment, Paging, Resources, types } from "sluice-sdk/api";

const widgetsConfig = config("How to reach the API.", {
  url: text("Where the API is.", { title: "URL", example: "https://api.example.com", format: "uri" }),
  api_key: secret("The key of an account that may read. It stays with the host, which adds it to each request.", {
    title: "API key",
  }),
});

/** The API's resources, each of them a stream. */
const resources = new Resources([
  {
    id: "orders",
    path: "/orders",
    columns: new Columns()
      .required("id", types.INT)
      .optional("customer", types.TEXT, { at: "/customer/name" })
      .optional("total", types.decimal(12, 2))
      .optional("weight", types.FLOAT)
      .optional("paid", types.BOOL)
      .optional("placed_on", types.DATE)
      .optional("address", types.JSON)
      .required("updated_at", types.TIMESTAMP),
    records: "/data",
    paging: Paging.cursor("/next_cursor", "cursor"),
    query: [["limit", "100"]],
    key: ["id"],
    increment: new Increment("updated_at", "updated_since", { ascending: true }),
  },
  {
    id: "customers",
    path: "/customers",
    columns: new Columns().required("id", types.INT).optional("name", types.TEXT),
    records: "/data",
    paging: Paging.number("page", 10),
    key: ["id"],
  },
]);

/** The API as a source. */
class Widgets implements Source {
  private readonly api: Api;

  constructor(config: Values<typeof widgetsConfig>) {
    this.api = new Api(config.url, { field: "/url" });
  }

  check(): CheckStep[] {
    return resources.check(this.api);
  }

  discover(filter: DiscoverFilter, page: string | undefined): DiscoverPage {
    return resources.discover(filter, page);
  }

  plan(selections: Selection[], hints: Hints): Plan {
    return resources.plan(selections, hints);
  }

  read(split: Split, start: Uint8Array | undefined, output: Output): void {
    resources.read(this.api, split, start, output);
  }
}

export const source = exported(Widgets, {
  name: "widgets",
  version: "0.1.0",
  title: "Widgets",
  description: "Orders and customers of an HTTP JSON API, in full or by the time of their last change.",
  config: widgetsConfig,
  hosts: ["{url}"],
  auth: [{ scheme: "header", name: "X-Api-Key", value: "api_key" }],
  capabilities: ["incremental"],
});
