// One run: its steps, what went in and came out, what it said, and what can be done with it.
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Chat } from './support/chat.mjs';
import { REFUSED, scene, UNREACHABLE } from './support/scene.mjs';
import { document } from './support/service.mjs';

const SLOW = [
	{ type: 'noop', name: 'First' },
	{ type: 'test', name: 'Long', config: { sleep: '60s' } },
];

/** The state of the run, in the head of the page. */
const state = (page, status) => page.locator(`main [data-status="${status}"]`).first();

async function open(page, execution) {
	await page.goto(`/runs/${execution}`);
	await page.getByText('live', { exact: true }).waitFor();
	await page.getByRole('heading', { level: 1 }).waitFor();
}

async function read(service) {
	const execution = await service.execute('document_processing', { file_path: await service.upload(document('scan-de.png'), 'letter.png') });
	await service.over(execution);
	return execution;
}

scene('a run shows each of its steps with its state', async ({ page, service }) => {
	await open(page, await read(service));
	for (const name of ['Upload Document', 'Extract Text', 'Analyze Content', 'Store Results']) await page.getByText(name).first().waitFor();
	await state(page, 'completed').waitFor();
});

scene('a run goes on to its end before the eyes of who looks', async ({ page, service }) => {
	await service.workflow('Brief', [{ type: 'test', name: 'Work', config: { sleep: '2s' } }]);
	await open(page, await service.execute('brief'));
	await state(page, 'running').waitFor();
	await state(page, 'completed').waitFor();
});

scene('what a run waits for is approved on its page, and the inner run is a click away', async ({ page, service }) => {
	await service.workflow('Books', [
		{ type: 'approve', id: 'book', config: { title: 'Book the invoice', allow_requester: true, show: { total: 4711 } } },
		{ type: 'test', id: 'each', name: 'Each', foreach: [1, 2, 3], config: {} },
	]);
	await service.workflow('Outer', [{ type: 'workflow', id: 'inner', name: 'Inner', config: { id: 'books' } }]);
	await open(page, await service.execute('outer'));
	await page.getByRole('link', { name: 'Open the inner run' }).click();
	const asked = page.getByRole('region', { name: 'Book the invoice' });
	await asked.getByText('4711').waitFor();
	await page.getByText('Waits for somebody to decide').waitFor();
	await asked.getByLabel('Comment').fill('fine');
	await asked.getByRole('button', { name: 'Approve' }).click();
	await state(page, 'completed').waitFor();
	await choose(page, 'Each');
	await page.getByText('3 of 3 items').waitFor();
});

scene('the log of a run is shown', async ({ page, service }) => {
	await open(page, await read(service));
	await page.getByRole('tab', { name: 'Log' }).click();
	await page.getByRole('tabpanel').getByText('attempt 1 started').first().waitFor();
});

scene('what a step gave is shown', async ({ page, service }) => {
	await open(page, await read(service));
	await choose(page, 'Analyze Content');
	await page.getByRole('tab', { name: 'Outputs' }).click();
	await page.getByRole('tabpanel').getByText('deu').first().waitFor();
});

scene('what a run was given is shown', async ({ page, service }) => {
	await open(page, await read(service));
	await page.getByRole('tab', { name: 'Inputs' }).click();
	await page.getByRole('tabpanel').getByText('file_path').first().waitFor();
});

scene('a step that failed tells cause and fix', async ({ page, service }) => {
	const execution = await service.execute('document_processing', { file_path: await service.upload(document('nasty/encrypted_user_password.pdf'), 'contract.pdf') });
	await service.over(execution);
	await open(page, execution);
	await page.getByText('it needs a password to be read').first().waitFor();
	await page.getByText('save it without a password and give it again').first().waitFor();
});

scene('a run is cancelled after a question', async ({ page, service }) => {
	await service.workflow('Slow', SLOW);
	await open(page, await service.execute('slow'));
	await page.getByRole('button', { name: 'Cancel', exact: true }).click();
	await page.getByRole('dialog', { name: 'Cancel this run?' }).getByRole('button', { name: 'Cancel', exact: true }).last().click();
	await state(page, 'cancelled').waitFor();
});

scene('a run goes on when the question is answered with no', async ({ page, service }) => {
	await service.workflow('Slow', SLOW);
	const execution = await service.execute('slow');
	await open(page, execution);
	await page.getByRole('button', { name: 'Cancel', exact: true }).click();
	await page.getByRole('button', { name: 'Keep running' }).click();
	assert.equal((await service.ask('GET', `/api/workflow/${execution}/status`)).status, 'running');
});

scene('a run is paused and resumed', async ({ page, service }) => {
	await service.workflow('Two', [{ type: 'test', name: 'One', config: { sleep: '4s' } }, { type: 'noop', name: 'Other' }]);
	await open(page, await service.execute('two'));
	await page.getByRole('button', { name: 'Pause' }).click();
	await state(page, 'paused').waitFor();
	await page.getByRole('button', { name: 'Resume' }).click();
	await state(page, 'completed').waitFor();
});

scene('a run that failed is retried', async ({ page, service }) => {
	const execution = await service.execute('document_processing', { file_path: join(service.folder, 'inbox/late.png') });
	await service.over(execution);
	await open(page, execution);
	await mkdir(join(service.folder, 'inbox'), { recursive: true });
	await copyFile(document('scan-de.png'), join(service.folder, 'inbox/late.png'));
	await page.getByRole('button', { name: 'Retry failed' }).click();
	await state(page, 'completed').waitFor({ timeout: 60_000 });
});

scene('a run that waits for a file takes it on its page', async ({ page, service, open: another }) => {
	const chat = new Chat(await another());
	await chat.open();
	await chat.say('/workflow run document_processing');
	const line = await chat.runs.getByText('Workflow started: exec_').innerText();
	await open(page, line.split(' ').at(-1));
	await page.getByText('This run waits for an answer').waitFor();
	await page.getByLabel('the file to work on').setInputFiles(document('scan-de.png'));
	await page.getByRole('button', { name: 'Answer' }).click();
	await state(page, 'completed').waitFor({ timeout: 60_000 });
});

scene('a run that does not exist is said not to exist', { forgives: [REFUSED] }, async ({ page }) => {
	await page.goto('/runs/exec_01m8481mw3qdcagtcyanrr4kt2');
	await page.getByRole('alert').first().waitFor();
});

scene('markup in what a step gives is shown as it is', async ({ page, service }) => {
	const text = '<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script>';
	await service.workflow('Gives', [{ type: 'test', name: text, id: 'gives', config: { outputs: { text, [text]: text } } }]);
	const execution = await service.execute('gives', { [text]: text });
	await service.over(execution);
	await open(page, execution);
	for (const name of ['Log', 'Inputs', 'Outputs', 'Settings']) await page.getByRole('tab', { name }).click();
	assert.equal(await page.evaluate(() => globalThis.hit), undefined);
	assert.equal(await page.locator('img[src="x"], main script').count(), 0);
});

/** Chooses a step, wherever the page offers it. */
async function choose(page, name) {
	await page.getByRole('main').getByText(name, { exact: true }).first().click();
}

scene('a run is watched live to its end, also over a lost connection', { forgives: [UNREACHABLE] }, async ({ page, service }) => {
	await service.workflow('Long', [{ type: 'noop', name: 'First' }, { type: 'wait', name: 'Rest', config: { for: '4s' } }, { type: 'noop', name: 'Last' }]);
	await page.goto(`/runs/${await service.execute('long')}`);
	await page.locator('main header [data-status="waiting"]').first().waitFor();
	await page.getByRole('application', { name: /Steps of the run/ }).waitFor();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await service.startAgain();
	await page.locator('main header [data-status="completed"]').first().waitFor({ timeout: 60_000 });
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
