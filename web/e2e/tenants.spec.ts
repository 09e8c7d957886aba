import { arrived, call, expect, sample, shown, test, watch } from './test';

test('a viewer who was invited looks, and is offered nothing else', async ({ page, root, browser, world, refused }) => {
  await page.goto(root);
  const { pipeline } = await sample(page, world.tenant, 'To be looked at');
  await page.goto(`${root}/members`);
  await page.getByRole('button', { name: 'Invite somebody' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'E-mail' }).fill('grace@example.com');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const link = (await dialog.locator('[data-secret]').textContent()) ?? '';
  await shown(page, 'invitation-made');

  const context = await browser.newContext();
  const other = await context.newPage();
  watch(other, world.service.origin, refused);
  await other.goto(link);
  await arrived(other, 'You are invited');
  await shown(other, 'invitation');
  await other.getByLabel('Your name').fill('Grace Example');
  await other.locator('input[type=password]').fill('a lighthouse by the sea');
  await other.getByRole('button', { name: 'Accept the invitation' }).click();
  await arrived(other, 'Home');
  await other.goto(`${root}/pipelines/${pipeline}`);
  await arrived(other, 'To be looked at');
  await expect(other.getByRole('button', { name: 'Run now' })).toHaveCount(0);
  await expect(other.getByRole('switch', { name: 'Follow the schedule' })).toBeDisabled();
  await expect(other.getByRole('link', { name: 'Audit log' })).toHaveCount(0);
  await other.goto(`${root}/members`);
  await arrived(other, 'Members');
  await expect(other.getByRole('button', { name: 'Invite somebody' })).toHaveCount(0);
  await shown(other, 'members-viewer');

  await page.goto(`${root}/members`);
  await page.locator('input[aria-label="Role of Grace Example"]').click();
  await page.getByRole('option', { name: 'Operator' }).click();
  await expect(page.getByText('The role is changed.')).toBeVisible();
  await other.goto(`${root}/pipelines/${pipeline}`);
  await expect(other.getByRole('button', { name: 'Run now' })).toBeVisible();
  await context.close();
});

test('what belongs to one tenant is not there in another', async ({ page, root, world }) => {
  await page.goto(root);
  const { pipeline } = await sample(page, world.tenant, 'Of Sales only');
  const other = (await call(page, 'POST', '/v1/tenants', { name: 'Research' })) as { id: string };
  const elsewhere = `${world.service.origin}/t/${other.id}`;
  await page.goto(`${elsewhere}/pipelines`);
  await arrived(page, 'Pipelines');
  await expect(page.getByRole('heading', { name: 'No pipelines yet' })).toBeVisible();
  await shown(page, 'pipelines-empty');
  await page.goto(`${elsewhere}/pipelines/${pipeline}`);
  await arrived(page, 'There is no such page');
  await page.goto(`${elsewhere}/pipelines`);
  await page.getByRole('button', { name: 'Switch tenant: Research' }).click();
  await page.getByRole('menuitem', { name: /Sales/ }).click();
  await arrived(page, 'Home');
  await page.goto(`${world.service.origin}/t/00000000000000000000000000000000`);
  await arrived(page, 'There is no such page');
});

test('a token is shown once', async ({ page, root }) => {
  await page.goto(`${root}/tokens`);
  await page.getByRole('button', { name: 'Make a token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'What it is for' }).fill('nightly report');
  await dialog.getByRole('button', { name: 'Make a token' }).click();
  await expect(dialog.locator('[data-secret]')).toContainText('slua_');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('cell', { name: 'nightly report', exact: true })).toBeVisible();
  expect(await page.content()).not.toContain('slua_');
});
