// The way through the wizard, a method for what a person does at each step.
import { setting } from '../servers/setting';
import { expect, type Page, pictured, shown, sideways } from '../test';

/** A worker has to be started, and connectors to be loaded: on a busy machine that takes its time. */
export const SLOW = { timeout: 90_000 };

export class Walk {
  private constructor(readonly page: Page) {}

  /** Begins a draft. */
  static async begin(page: Page, root: string): Promise<Walk> {
    await page.goto(`${root}/new`);
    await page.getByRole('button', { name: 'Set up a pipeline' }).first().click();
    await expect(page.getByRole('searchbox', { name: 'Search sources' })).toBeVisible();
    return new Walk(page);
  }

  async choose(connector: string): Promise<void> {
    // Beside its title stands who published it, or else its version.
    await this.page.getByRole('button', { name: new RegExp(`^${connector} (by |\\d)`) }).click(SLOW);
  }

  /** Fills fields by their labels; a group of fields is opened first, by its name. */
  async fill(fields: Record<string, string>, group?: string): Promise<void> {
    if (group) await this.page.getByRole('button', { name: group, exact: true }).click();
    for (const [label, text] of Object.entries(fields)) {
      await this.page.getByRole('textbox', { name: label, exact: true }).fill(text);
    }
  }

  async reachPrivateAddresses(): Promise<void> {
    // What is seen of a switch is its track; the box itself is hidden.
    await this.page.getByLabel('Reach private addresses').check({ force: true });
  }

  async next(): Promise<void> {
    await this.page.getByRole('button', { name: /^Next:/ }).click();
  }

  /** Goes on to the test of the connection, which passes. */
  async passTheTest(): Promise<void> {
    await this.next();
    await expect(this.page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  }

  /** Goes on to the streams and chooses one of them. */
  async pick(stream: string): Promise<void> {
    await this.next();
    await this.page.getByLabel('Search by name').fill(stream);
    await this.page.getByRole('checkbox', { name: stream }).check(SLOW);
    await expect(this.page.getByText('1 stream chosen')).toBeVisible();
  }

  /** Goes on past the columns to where rows go: a folder of the local warehouse. */
  async loadIntoWarehouse(folder: string): Promise<void> {
    await this.next();
    await this.next();
    await this.page.getByRole('radio', { name: 'Local warehouse' }).click();
    await this.fill({ Folder: folder });
  }

  /** Goes on past the columns to where rows go: a dataset of BigQuery. */
  async loadIntoBigquery(dataset: string): Promise<void> {
    await this.next();
    await this.next();
    await this.page.getByRole('radio', { name: 'BigQuery' }).click();
    await this.page.getByRole('combobox', { name: 'Project', exact: true }).fill(setting('BIGQUERY_PROJECT'));
    await this.page.getByRole('combobox', { name: 'Dataset', exact: true }).fill(dataset);
    await this.fill({ 'REST endpoint': setting('BIGQUERY_REST'), 'gRPC endpoint': setting('BIGQUERY_GRPC') });
    await this.page.getByLabel('Send no credentials').check({ force: true });
  }

  /** Goes on to the review, with what the steps before it suggest, and from there to a run that succeeds. */
  async createAndRun(name: string): Promise<void> {
    const review = this.page.getByLabel('Name of the pipeline');
    while (!(await review.isVisible())) await this.next();
    await this.run(name);
  }

  /** From the review to a run that succeeds. */
  async run(name: string): Promise<void> {
    await this.page.getByLabel('Name of the pipeline').fill(name);
    await expect(this.page.getByText(/^Table /).first()).toBeVisible(SLOW);
    await this.page.getByRole('button', { name: 'Create and run now' }).click();
    await this.page.waitForURL(/\/runs\//, SLOW);
    await expect(this.page.getByText('Succeeded').first()).toBeVisible(SLOW);
  }

  /** Keeps the step as it looks, and checks that everybody can use it, on a telephone as well. */
  async seen(name: string): Promise<void> {
    const usual = this.page.viewportSize();
    await this.page.evaluate(() => window.scrollTo(0, 0));
    await shown(this.page, `wizard-${name}`);
    if (!usual) return;
    await this.page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => sideways(this.page), `${name} does not scroll sideways on a telephone`).toBe(false);
    await pictured(this.page, `wizard-${name}-small`);
    await this.page.setViewportSize(usual);
  }
}
