// What can be run, and the form that starts it.
import assert from 'node:assert/strict';
import { scene } from './support/scene.mjs';
import { document } from './support/service.mjs';

const ASKS = {
	description: 'asks for this and that',
	inputs: {
		city: { type: 'string', required: true, label: 'City' },
		copies: { type: 'integer', default: 2, label: 'Copies' },
		kind: { options: ['invoice', 'receipt'], default: 'invoice', label: 'Kind' },
		urgent: { type: 'boolean', default: false, label: 'Urgent' },
	},
	outputs: { told: '${{ inputs.city }} x ${{ inputs.copies }} x ${{ inputs.kind }} x ${{ inputs.urgent }}' },
};

async function open(page, path = '/workflows') {
	await page.goto(path);
	await page.getByText('live', { exact: true }).waitFor();
	await page.getByRole('heading', { level: 1 }).waitFor();
}

scene('the templates can be found among the workflows', async ({ page }) => {
	await open(page);
	for (const name of ['Document Processing', 'Data Pipeline', 'Notification Flow']) await page.getByText(name).first().waitFor();
});

scene('a saved workflow can be found by typing a part of its name', async ({ page, service }) => {
	await service.workflow('Nightly Letters', [{ type: 'noop' }]);
	await open(page);
	await page.getByRole('searchbox').or(page.getByLabel('Filter workflows')).first().fill('nightly');
	await page.getByText('Nightly Letters').first().waitFor();
	await page.getByText('Data Pipeline').waitFor({ state: 'detached' });
});

scene('a workflow shows its steps and its definition', async ({ page }) => {
	await open(page, '/workflows/document_processing');
	await page.getByText('Extract Text').first().waitFor();
	await page.getByText('tesseract').first().waitFor();
});

scene('a document is read from the form of its workflow', async ({ page }) => {
	await open(page, '/workflows/document_processing');
	await page.getByLabel('file_path').setInputFiles(document('scan-de.png'));
	await page.getByText('scan-de.png').first().waitFor();
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForURL('**/runs/exec_*');
	await page.locator('main [data-status="completed"]').first().waitFor({ timeout: 60_000 });
});

scene('the form gives each input in its own kind', async ({ page, service }) => {
	await service.workflow('Asks', [{ type: 'noop' }], ASKS);
	await open(page, '/workflows/asks');
	await page.getByLabel('City').fill('Ulm');
	await page.getByLabel('Copies').fill('3');
	await page.getByLabel('Kind').selectOption('receipt');
	await page.getByLabel('Urgent').check();
	await page.getByRole('button', { name: 'Start' }).click();
	await page.waitForURL('**/runs/exec_*');
	const view = await service.over(new URL(page.url()).pathname.split('/').at(-1));
	const { inputs } = await service.ask('GET', `/api/workflow/${view.execution_id}/status?include=inputs`);
	assert.deepEqual(inputs, { city: 'Ulm', copies: 3, kind: 'receipt', urgent: true });
});

scene('an input that is needed is asked for before anything runs', async ({ page, service }) => {
	await service.workflow('Asks', [{ type: 'noop' }], ASKS);
	await open(page, '/workflows/asks');
	await page.getByRole('button', { name: 'Start' }).click({ force: true });
	assert.equal((await service.ask('GET', '/api/workflow/history')).executions.length, 0);
});

scene('a double press starts one run', async ({ page, service }) => {
	await service.workflow('Quick', [{ type: 'noop' }]);
	await open(page, '/workflows/quick');
	await page.getByRole('button', { name: 'Start' }).dblclick();
	await page.waitForURL('**/runs/exec_*');
	assert.equal((await service.ask('GET', '/api/workflow/history')).executions.length, 1);
});

scene('markup in names and descriptions is shown as it is', async ({ page, service }) => {
	const text = '<img src=x onerror="globalThis.hit=1">';
	await service.workflow(`Bold ${text}`, [{ type: 'noop', id: 'only', name: text }], { id: 'bold', description: text });
	await open(page);
	await page.getByText('Bold').first().waitFor();
	assert.equal(await page.locator('img[src="x"]').count(), 0);
});
