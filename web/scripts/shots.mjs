// Makes the pictures of docs/images: the real page with the real service, at work. `npm run shots [name ...]`
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, window } from '../tests/browser/support/browser.mjs';
import { Chat, scan } from '../tests/browser/support/chat.mjs';
import { document, ROOT, Service } from '../tests/browser/support/service.mjs';

const FOLDER = join(ROOT, 'docs/images');
const READ = '/workflow run document_processing';
const PDF = 'application/pdf';

const browser = await launch();
const complaints = [];

/** A window onto a service that has worked before, so that it knows how long things take. */
async function stage(look = {}) {
	const service = await Service.start();
	for (const name of ['invoice.pdf', 'mixed.pdf', 'mixed.pdf']) {
		await service.over(await service.execute('document_processing', { file_path: await service.upload(document(name), name) }));
	}
	const context = await window(browser, { baseURL: service.url, reducedMotion: 'reduce', ...look }, complaints);
	const page = await context.newPage();
	const shot = async (name) => {
		// Where the mouse was would look like a choice.
		await page.mouse.move(640, 2);
		const path = join(FOLDER, `${name}.png`);
		await page.screenshot({ path });
		console.log(`${name}.png ${Math.round((await stat(path)).size / 1000)} kB`);
	};
	return { service, page, chat: new Chat(page), shot, close: async () => (await context.close(), await service.remove()) };
}

/** Asks for a run, drops its document, and stops looking when `until` says so. */
async function reads({ chat }, file, until) {
	await chat.say(READ);
	const card = chat.runs.last();
	await chat.reaches('waiting', card);
	await chat.drop(file);
	await chat.sendFiles();
	await until(card);
}

const SHOTS = {
	'chat-running': async (scene) => {
		await scene.chat.open();
		await reads(scene, { ...scan('scan-de.png'), name: 'letter.png' }, (card) => card.getByRole('listitem').filter({ hasText: /running\s*Extract Text/ }).waitFor());
	},
	'chat-completed': async (scene) => {
		await scene.chat.open();
		await reads(scene, { ...scan('scan-de.png'), name: 'letter.png' }, (card) => scene.chat.reaches('completed', card));
	},
	'chat-failed': async (scene) => {
		await scene.chat.open();
		await reads(scene, { ...scan('nasty/encrypted_user_password.pdf', PDF), name: 'contract.pdf' }, (card) => scene.chat.reaches('failed', card));
	},
	run: async ({ page, service }) => {
		const id = await service.execute('document_processing', { file_path: await service.upload(document('scan-de.png'), 'letter.png') });
		await service.over(id);
		await page.goto(`/runs/${id}`);
		await page.getByText('Analyze Content', { exact: true }).click();
		await page.getByRole('region', { name: 'Analyze Content' }).getByText('language').first().waitFor();
	},
	'runs-dark': async ({ page, service }) => {
		await service.over(await service.execute('data_pipeline'));
		await service.over(await service.execute('document_processing'));
		await page.goto('/runs');
		await page.getByRole('row', { name: /Data Pipeline/ }).waitFor();
	},
};

await mkdir(FOLDER, { recursive: true });
const wanted = process.argv.slice(2);
for (const [name, play] of Object.entries(SHOTS)) {
	if (wanted.length && !wanted.includes(name)) continue;
	const scene = await stage(name.endsWith('-dark') ? { colorScheme: 'dark' } : {});
	await play(scene);
	await scene.shot(name);
	await scene.close();
}
await browser.close();
if (complaints.length) {
	console.error(complaints.join('\n'));
	process.exit(1);
}
