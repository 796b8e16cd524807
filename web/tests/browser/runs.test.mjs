// The list of runs: what runs and ran, live, and what can be done with several at once.
import assert from 'node:assert/strict';
import { REFUSED, scene, UNREACHABLE } from './support/scene.mjs';

const QUICK = [{ type: 'noop', name: 'Only' }];
const SLOW = [{ type: 'test', name: 'Long', config: { sleep: '60s' } }];
const FAILS = [{ type: 'test', name: 'Break', retry: 0, config: { fail: 'the line is down' } }];

const table = (page) => page.getByRole('table', { name: 'Runs, newest first' });
/** The row of a run of this workflow; the head of the table is no such row. */
const row = (page, text) => table(page).getByRole('row').filter({ has: page.locator('td') }).filter({ hasText: text });

/** Opens the list and waits until it is live. */
async function open(page, path = '/runs') {
	await page.goto(path);
	await page.getByText('live', { exact: true }).waitFor();
	await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
}

scene('an empty list says that nothing has run yet', async ({ page }) => {
	await open(page);
	await page.getByText('Nothing has run yet').waitFor();
});

scene('a run tells its workflow, its state and who started it', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await service.over(await service.execute('quick'));
	await open(page);
	await row(page, 'Quick').getByText('over HTTP').waitFor();
	await row(page, 'Quick').getByText('completed').waitFor();
});

scene('a run that is started elsewhere appears by itself, at the head', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await service.workflow('Fails', FAILS);
	await service.over(await service.execute('quick'));
	await open(page);
	await row(page, 'Quick').waitFor();
	await service.execute('fails');
	await table(page).getByRole('row').nth(1).filter({ hasText: 'Fails' }).waitFor();
});

scene('the first run of all appears by itself', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await open(page);
	await page.getByText('Nothing has run yet').waitFor();
	await service.execute('quick');
	await row(page, 'Quick').waitFor();
});

scene('a run that does not fit the filter does not appear', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await service.workflow('Fails', FAILS);
	await open(page, '/runs?status=failed');
	await service.over(await service.execute('quick'));
	await service.execute('fails');
	await row(page, 'Fails').waitFor();
	assert.equal(await row(page, 'Quick').count(), 0);
});

scene('the state of a run changes in its row without a reload', async ({ page, service }) => {
	await service.workflow('Slow', SLOW);
	const execution = await service.execute('slow');
	await open(page);
	await row(page, 'Slow').getByText('running').waitFor();
	await service.ask('POST', `/api/workflow/${execution}/cancel`, {});
	await row(page, 'Slow').getByText('cancelled').waitFor();
});

scene('a run that failed tells the reason in its row', async ({ page, service }) => {
	await service.workflow('Fails', FAILS);
	await service.over(await service.execute('fails'));
	await open(page);
	await row(page, 'Fails').getByText('the line is down').waitFor();
});

scene('a row leads to its run', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	const execution = await service.execute('quick');
	await service.over(execution);
	await open(page);
	await row(page, 'Quick').getByRole('link').first().click();
	await page.waitForURL(`**/runs/${execution}`);
});

scene('the list can be narrowed to a state', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await service.workflow('Fails', FAILS);
	await service.over(await service.execute('quick'));
	await service.over(await service.execute('fails'));
	await open(page);
	await page.getByLabel('State').first().selectOption('failed');
	await row(page, 'Quick').waitFor({ state: 'detached' });
	await row(page, 'Fails').waitFor();
});

scene('what the list is narrowed to stands in the address', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await service.workflow('Fails', FAILS);
	await service.over(await service.execute('quick'));
	await service.over(await service.execute('fails'));
	await open(page, '/runs?status=failed');
	await row(page, 'Fails').waitFor();
	assert.equal(await row(page, 'Quick').count(), 0);
});

scene('filters that fit nothing can be cleared', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	await service.over(await service.execute('quick'));
	await open(page, '/runs?status=failed');
	await page.getByText('No run matches these filters').waitFor();
	await page.getByRole('button', { name: 'Clear filters' }).or(page.getByRole('link', { name: 'Clear filters' })).first().click();
	await row(page, 'Quick').waitFor();
});

scene('a long list is read on, without a run missing or twice', async ({ page, service }) => {
	await service.workflow('Quick', QUICK);
	for (let count = 0; count < 70; count += 1) await service.execute('quick');
	await open(page);
	await row(page, 'Quick').nth(20).waitFor();
	await page.getByRole('button', { name: 'Load more' }).click();
	await row(page, 'Quick').nth(69).waitFor();
	const addresses = await table(page).getByRole('row').getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')).filter((href) => href.startsWith('/runs/')));
	assert.equal(new Set(addresses).size, 70);
});

scene('what a service did while the connection was lost is in the list afterwards', { forgives: [/ERR_CONNECTION_|WebSocket connection to/] }, async ({ page, service }) => {
	await service.workflow('Slow', SLOW);
	const execution = await service.execute('slow');
	await open(page);
	await row(page, 'Slow').getByText('running').waitFor();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await service.startAgain();
	await service.ask('POST', `/api/workflow/${execution}/cancel`, {});
	await row(page, 'Slow').getByText('cancelled').waitFor();
});

scene('a list that cannot be had says so, and is there when it can', { forgives: [REFUSED, UNREACHABLE] }, async ({ page }) => {
	await page.route('**/api/workflow/history*', (route) => route.fulfill({ status: 503, json: { status: 503, code: 'WF5199', message: 'the service is stopping', fix: 'try again' } }));
	await page.goto('/runs');
	await page.getByRole('alert').getByText('The service is stopping').waitFor();
	await page.unroute('**/api/workflow/history*');
	await page.getByRole('button', { name: 'Try again' }).click();
	await page.getByText('Nothing has run yet').waitFor();
});
