// The stand-in for BigQuery, through its REST interface.
import { setting } from './setting';

export type Row = (string | null)[];

async function ask(path: string, body: unknown): Promise<{ rows?: { f: { v: string | null }[] }[] }> {
  const response = await fetch(
    `${setting('BIGQUERY_REST')}/bigquery/v2/projects/${setting('BIGQUERY_PROJECT')}${path}`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    },
  );
  const answer = await response.json();
  if (answer.error) throw new Error(`${JSON.stringify(body)}: ${JSON.stringify(answer.error)}`);
  return answer;
}

/** A name for a dataset that no test before has used. */
export const unused = (name: string): string => `${name}_${Date.now().toString(36)}`;

export async function makeDataset(dataset: string): Promise<void> {
  await ask('/datasets', { datasetReference: { projectId: setting('BIGQUERY_PROJECT'), datasetId: dataset } });
}

/** Runs a query; its rows, each value as a text. */
export async function bigquery(query: string): Promise<Row[]> {
  const { rows = [] } = await ask('/queries', { query, useLegacySql: false, maxResults: 10_000 });
  return rows.map(row => row.f.map(cell => cell.v));
}
