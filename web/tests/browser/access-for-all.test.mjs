// Nothing on any page keeps somebody out: axe finds no violation, in the light, in the dark, and on a small screen.
import { accessible, LOOKS } from './support/axe.mjs';
import { scan } from './support/chat.mjs';
import { REFUSED, scene, UNREACHABLE } from './support/scene.mjs';
import { document } from './support/service.mjs';

const SLOW = [{ type: 'noop', name: 'First' }, { type: 'test', name: 'Long', config: { sleep: '60s' } }, { type: 'noop', name: 'Last' }];

/** The execution that has read a scan to the end. */
async function kept(service) {
	const execution = await service.execute('document_processing', { file_path: await service.upload(document('scan-de.png'), 'letter.png') });
	await service.over(execution);
	return execution;
}

/** One test for each look. */
function everywhere(sentence, options, play) {
	for (const [where, look] of Object.entries(LOOKS)) {
		scene(`${sentence}, ${where}`, { ...options, look }, async (stage) => {
			await play(stage);
			await accessible(stage.page);
		});
	}
}

everywhere('the empty chat is open to all', {}, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.getByText('Type a command, or drop a file').waitFor();
});

everywhere('a chat with cards of every kind is open to all', {}, async ({ page, chat, service }) => {
	await service.workflow('Fails', [{ type: 'test', name: 'Break', retry: 0, config: { fail: 'the line is down' } }]);
	await service.workflow('Slow', SLOW);
	await page.goto('/');
	await chat.list.waitFor();
	for (const [line, answer] of [
		['/workflow help', 'What you can say here'],
		['/workflow run documnt_procesing', 'There is no workflow'],
		['/workflow list', 'notification_flow'],
		['/workflow run fails', 'the line is down'],
		['/workflow run slow', 'Slow · by'],
		['/workflow run document_processing', 'Document Processing needs'],
		['plain words with `code` and **weight**', 'plain words'],
	]) {
		await chat.say(line);
		await chat.message(answer).first().waitFor();
	}
	await chat.reaches('failed', chat.message('Fails · by'));
	await chat.reaches('running', chat.message('Slow · by'));
});

everywhere('a run that was read to the end is open to all', {}, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await chat.drop(scan());
	await chat.field.fill('/workflow run document_processing');
	await chat.sendFiles();
	await chat.reaches('completed');
});

everywhere('a file that waits to be sent, and proposals, are open to all', {}, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await chat.drop(scan());
	await page.getByRole('button', { name: 'Remove scan-de.png' }).waitFor();
	await chat.field.pressSequentially('/workflow run ');
	await page.getByRole('listbox', { name: 'Proposals' }).waitFor();
	await page.keyboard.press('ArrowDown');
});

everywhere('the palette is open to all', {}, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await page.keyboard.press('Control+k');
	await page.getByRole('option', { name: 'Document Processing' }).waitFor();
});

everywhere('the list of keys is open to all', {}, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await page.keyboard.press('?');
	await page.getByRole('dialog', { name: 'Keys' }).waitFor();
});

everywhere('a page that has lost its connection is open to all', { forgives: [UNREACHABLE] }, async ({ page, chat, service }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await chat.say('/workflow run documnt_procesing');
	await page.getByRole('button', { name: 'Run it' }).waitFor();
	await service.kill();
	await page.getByText('Connection lost.').waitFor();
	await chat.say('are you there?');
	await page.getByRole('button', { name: 'Send again' }).waitFor();
});

everywhere('the page that asks for the token is open to all', { settings: { API_TOKEN: 'correct-horse-battery-staple' }, forgives: [REFUSED] }, async ({ page }) => {
	await page.goto('/');
	await page.getByLabel('Token').fill('incorrect');
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.getByRole('alert').waitFor();
});

everywhere('the German chat is open to all', {}, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await page.getByLabel('Language').selectOption('de');
	await page.getByText('Gib einen Befehl ein').waitFor();
});

everywhere('the list of runs is open to all', {}, async ({ page, service }) => {
	await service.workflow('Fails', [{ type: 'test', name: 'Break', retry: 0, config: { fail: 'the line is down' } }]);
	await service.workflow('Slow', SLOW);
	await service.over(await service.execute('fails'));
	await service.execute('slow');
	await page.goto('/runs');
	await page.getByRole('table').getByText('the line is down').waitFor();
});

everywhere('an empty list of runs is open to all', {}, async ({ page }) => {
	await page.goto('/runs');
	await page.getByText('Nothing has run yet').waitFor();
});

everywhere('a run that was read to the end is open to all on its own page', {}, async ({ page, service }) => {
	await page.goto(`/runs/${await kept(service)}`);
	await page.getByRole('tab', { name: 'Log' }).click();
	await page.locator('[data-step="store_results"]').waitFor();
});

everywhere('a run that failed is open to all on its own page', {}, async ({ page, service }) => {
	const execution = await service.execute('document_processing', { file_path: await service.upload(document('nasty/encrypted_user_password.pdf'), 'contract.pdf') });
	await service.over(execution);
	await page.goto(`/runs/${execution}`);
	await page.getByText('it needs a password to be read').first().waitFor();
	await page.getByRole('button', { name: 'Timeline' }).click();
	await page.getByRole('figure').waitFor();
});

everywhere('the workflows are open to all', {}, async ({ page, service }) => {
	await service.workflow('Slow', SLOW);
	await page.goto('/workflows');
	await page.getByRole('link', { name: 'Slow' }).waitFor();
});

everywhere('a workflow with its form is open to all', {}, async ({ page }) => {
	await page.goto('/workflows/document_processing');
	await page.getByRole('button', { name: 'Start' }).waitFor();
});

everywhere('found documents are open to all', {}, async ({ page, service }) => {
	await kept(service);
	await page.goto('/documents?q=Beispielrechnung');
	await page.locator('mark').first().waitFor();
});

scene('the open menu of a small screen is open to all', { look: LOOKS['on a small screen'] }, async ({ page, chat }) => {
	await page.goto('/');
	await chat.list.waitFor();
	await page.getByRole('button', { name: 'Open menu' }).click();
	await page.getByRole('navigation').getByRole('link', { name: 'Runs' }).waitFor();
	await accessible(page);
});

scene('what changes in a card is told to those who cannot see it', async ({ chat, page, service }) => {
	await service.workflow('Quick', [{ type: 'test', name: 'Work', config: { sleep: '1s' } }]);
	await chat.open();
	await chat.say('/workflow run quick');
	await page.locator('[aria-live="polite"]').filter({ hasText: /Quick.*completed/ }).waitFor({ state: 'attached' });
});
