// Runs as a person watches and steers them: the list, one run in detail, the form that starts one, and what was stored.
import assert from 'node:assert/strict';
import { accessible, LOOKS } from './support/axe.mjs';
import { scan } from './support/chat.mjs';
import { REFUSED, scene, UNREACHABLE } from './support/scene.mjs';
import { document } from './support/service.mjs';

const FAILS = [{ type: 'noop', name: 'First' }, { type: 'test', name: 'Break', retry: 0, config: { fail: 'the line is down' } }, { type: 'noop', name: 'Last' }];
const SLOW = [{ type: 'noop', name: 'First' }, { type: 'wait', name: 'Long', config: { for: '1h' } }];
const state = (page, name) => page.locator(`main header [data-status="${name}"]`).first();
/** A document that was read from outside the page; its execution. */
const read = async (service, name) => {
	const execution = await service.execute('document_processing', { file_path: await service.upload(document(name), name) });
	await service.over(execution);
	return execution;
};

scene('a run that is started elsewhere comes into the list, and its state goes along', async ({ page, service }) => {
	await service.workflow('Short', [{ type: 'test', name: 'Work', config: { sleep: '1s' } }]);
	await page.goto('/runs');
	await page.getByText('Nothing has run yet').waitFor();
	await service.execute('short');
	await page.getByRole('row', { name: /Short/ }).locator('[data-status="completed"]').waitFor();
});

scene('the list is filtered by state, and the address keeps the filter', async ({ page, service }) => {
	await service.workflow('Fails', FAILS);
	await service.over(await service.execute('fails'));
	await service.over(await service.execute('data_pipeline'));
	await page.goto('/runs');
	await page.getByRole('row', { name: /Data Pipeline/ }).waitFor();
	await page.getByLabel('State').selectOption('failed');
	await page.getByRole('row', { name: /Data Pipeline/ }).waitFor({ state: 'detached' });
	await page.getByRole('row', { name: /the line is down/ }).waitFor();
	await page.reload();
	await page.getByRole('row', { name: /the line is down/ }).waitFor();
	assert.equal(await page.getByRole('row', { name: /Data Pipeline/ }).count(), 0);
});

scene('a long list goes on when it is asked to', async ({ page, service }) => {
	await service.workflow('Quick', [{ type: 'noop' }]);
	for (let count = 0; count < 60; count += 1) await service.execute('quick');
	await page.goto('/runs');
	await page.getByRole('button', { name: 'Load more' }).click();
	await page.getByRole('row', { name: /Quick/ }).nth(59).waitFor();
	assert.equal(await page.getByRole('button', { name: 'Load more' }).count(), 0);
});

scene('a list that cannot be had says so, and is there when it can', { forgives: [REFUSED, UNREACHABLE] }, async ({ page }) => {
	await page.route('**/api/workflow/history*', (route) => route.fulfill({ status: 503, json: { status: 503, code: 'WF5199', message: 'the service is stopping', fix: 'try again' } }));
	await page.goto('/runs');
	await page.getByRole('alert').getByText('The service is stopping').waitFor();
	await page.unroute('**/api/workflow/history*');
	await page.getByRole('button', { name: 'Try again' }).click();
	await page.getByText('Nothing has run yet').waitFor();
});

scene('a run shows each step with its outputs, log, inputs and settings', async ({ page, service }) => {
	await page.goto(`/runs/${await read(service, 'scan-de.png')}`);
	await state(page, 'completed').waitFor();
	await page.getByText('Extract Text', { exact: true }).click();
	const step = page.getByRole('region', { name: 'Extract Text' });
	await step.getByText('confidence').first().waitFor();
	await step.getByRole('tab', { name: 'Log' }).click();
	await step.getByText('attempt 1 started').waitFor();
	await step.getByRole('tab', { name: 'Inputs' }).click();
	await step.getByText('document from upload_document.document').waitFor();
	await step.getByRole('tab', { name: 'Settings' }).click();
	await step.getByText('tesseract').first().waitFor();
});

scene('a run is watched live to its end, also over a lost connection', { forgives: [UNREACHABLE] }, async ({ page, service }) => {
	await service.workflow('Long', [{ type: 'noop', name: 'First' }, { type: 'wait', name: 'Rest', config: { for: '4s' } }, { type: 'noop', name: 'Last' }]);
	await page.goto(`/runs/${await service.execute('long')}`);
	await state(page, 'waiting').waitFor();
	await page.getByRole('application', { name: /Steps of the run/ }).waitFor();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await service.startAgain();
	await state(page, 'completed').waitFor({ timeout: 60_000 });
});

scene('a failure stands there with its reason, and its step runs again', async ({ page, service }) => {
	await service.workflow('Fails', FAILS);
	const execution = await service.execute('fails');
	await service.over(execution);
	await page.goto(`/runs/${execution}`);
	const step = page.getByRole('region', { name: 'Break' });
	await step.getByText('the line is down').first().waitFor();
	await step.getByRole('button', { name: 'Retry this step' }).click();
	await step.getByText('attempt 2').waitFor();
});

scene('a run is paused, goes on and is cancelled after a question', async ({ page, service }) => {
	await service.workflow('Slow', SLOW);
	await page.goto(`/runs/${await service.execute('slow')}`);
	await page.getByRole('button', { name: 'Pause' }).click();
	await state(page, 'paused').waitFor();
	await page.getByRole('button', { name: 'Resume' }).click();
	await state(page, 'waiting').waitFor();
	await page.getByRole('button', { name: 'Cancel' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Keep running' }).click();
	await page.getByRole('button', { name: 'Cancel' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Cancel', exact: true }).click();
	await state(page, 'cancelled').waitFor();
});

scene('a run that waits for its file takes it on its own page', async ({ chat, page, service }) => {
	await chat.open();
	await chat.say('/workflow run document_processing');
	await chat.reaches('waiting');
	const [{ execution_id }] = (await service.ask('GET', '/api/workflow/history')).executions;
	await page.goto(`/runs/${execution_id}`);
	const { name, type, bytes } = scan('tables.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document');
	await page.getByLabel(/the file to work on/).setInputFiles({ name, mimeType: type, buffer: bytes });
	await page.getByText(`${name} ·`).waitFor();
	await page.getByRole('button', { name: 'Answer' }).click();
	await state(page, 'completed').waitFor({ timeout: 60_000 });
});

scene('a run that nobody knows is told, and what to do', { forgives: [REFUSED] }, async ({ page }) => {
	await page.goto('/runs/exec_00000000000000000000000000');
	await page.getByRole('alert').waitFor();
});

scene('the graph is walked by arrow keys', async ({ page, service }) => {
	const execution = await service.execute('data_pipeline');
	await service.over(execution);
	await page.goto(`/runs/${execution}`);
	const graph = page.getByRole('application', { name: /Steps of the run/ });
	await graph.focus();
	await page.keyboard.press('ArrowLeft');
	await page.getByRole('region', { name: 'Validate Data' }).waitFor();
	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Validate Data');
});

scene('the timeline tells the same as a table for those who cannot see it', async ({ page, service }) => {
	const execution = await service.execute('data_pipeline');
	await service.over(execution);
	await page.goto(`/runs/${execution}`);
	await page.getByRole('button', { name: 'Timeline' }).click();
	await page.getByRole('row', { name: /Load Data completed/ }).waitFor({ state: 'attached' });
});

scene('the form of a workflow knows its inputs and starts it', async ({ page, service }) => {
	await service.workflow('Order', [{ type: 'noop', name: 'Only' }], {
		inputs: { item: { type: 'string', required: true, label: 'What is it' }, count: { type: 'integer', required: true }, size: { options: ['small', 'large'], default: 'small' } },
	});
	await page.goto('/workflows');
	await page.getByRole('link', { name: 'Order' }).click();
	const start = page.getByRole('button', { name: 'Start' });
	await page.getByLabel('What is it').fill('Two chairs');
	assert.ok(await start.isDisabled());
	await page.getByLabel('count').fill('2');
	await page.getByLabel('size').selectOption('large');
	await page.getByText('/workflow run order item="Two chairs" count=2 size=large').waitFor();
	await start.click();
	await page.waitForURL('**/runs/exec_*');
	await state(page, 'completed').waitFor();
	const [{ execution_id }] = (await service.ask('GET', '/api/workflow/history')).executions;
	const { inputs } = await service.ask('GET', `/api/workflow/${execution_id}/status?include=inputs`);
	assert.deepEqual([inputs.item, inputs.count, inputs.size], ['Two chairs', 2, 'large']);
});

scene('the form takes a file', async ({ page }) => {
	await page.goto('/workflows/document_processing');
	const { name, bytes } = scan('invoice.pdf', 'application/pdf');
	await page.getByLabel(/file_path/).setInputFiles({ name, mimeType: 'application/pdf', buffer: bytes });
	await page.getByText(`${name} ·`).waitFor();
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForURL('**/runs/exec_*');
	await state(page, 'completed').waitFor({ timeout: 60_000 });
});

scene('what was refused stands in the form', { forgives: [REFUSED] }, async ({ page, service }) => {
	await service.workflow('Order', [{ type: 'noop' }], { inputs: { zip: { type: 'string', required: true, pattern: '^[0-9]{5}$' } } });
	await page.goto('/workflows/order');
	await page.getByLabel('zip').fill('abc');
	await page.getByRole('button', { name: 'Start' }).click();
	await page.getByRole('alert').getByText('zip').first().waitFor();
});

scene('documents are found by their words, and lead to their run', async ({ page, service }) => {
	const execution = await read(service, 'scan-de.png');
	await page.goto('/documents');
	await page.getByRole('heading', { name: 'scan-de.png' }).waitFor();
	await page.getByRole('searchbox').fill('Rechnung');
	await page.locator('mark', { hasText: 'Rechnung' }).first().waitFor();
	await page.getByRole('searchbox').fill('zebra');
	await page.getByText('No document holds “zebra”').waitFor();
	await page.goto('/documents?q=Rechnung');
	await page.getByRole('link', { name: /Open run/ }).click();
	await page.waitForURL(`**/runs/${execution}`);
});

for (const [where, look] of Object.entries(LOOKS)) {
	scene(`lists, a run, a form and documents are open to all, ${where}`, { look }, async ({ page, service }) => {
		await service.workflow('Fails', FAILS);
		await service.workflow('Slow', SLOW);
		const [failed, slow] = [await service.execute('fails'), await service.execute('slow')];
		const completed = await read(service, 'invoice.pdf');
		await service.over(failed);
		for (const [address, there] of [
			['/runs', page.getByRole('row', { name: /Document Processing/ })],
			[`/runs/${completed}`, page.getByRole('region', { name: 'Store Results' })],
			[`/runs/${failed}`, page.getByRole('region', { name: 'Break' })],
			[`/runs/${slow}`, page.getByRole('region', { name: 'Long' })],
			['/workflows', page.getByRole('link', { name: 'Document Processing' })],
			['/workflows/document_processing', page.getByRole('button', { name: 'Start' })],
			['/documents?q=Rechnung', page.locator('mark').first()],
		]) {
			await page.goto(address);
			await there.first().waitFor();
			await accessible(page);
			assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= (look.viewport?.width ?? 1280), address);
		}
		await page.goto(`/runs/${completed}`);
		await page.getByRole('button', { name: 'Timeline' }).click();
		await page.getByRole('figure').waitFor();
		await accessible(page);
	});
}
