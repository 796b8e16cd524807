// The chat as a person meets it: by roles and names, never by how the page is made.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { document } from './service.mjs';

/** A document of the project's own tests, as a file manager hands it over. */
export const scan = (name = 'scan-de.png', type = 'image/png') => ({ name: basename(name), type, bytes: readFileSync(document(name)) });

/** What people said in it, in the order in which it stands there. */
export const said = (chat) => chat.list.locator('article .text').allInnerTexts();

export class Chat {
	constructor(page) {
		this.page = page;
		this.field = page.getByRole('combobox', { name: 'Message or /command' }).or(page.getByRole('textbox', { name: 'Message or /command' }));
		this.list = page.getByRole('log', { name: 'Messages' });
		/** Cards of executions: there is one for each. */
		this.runs = this.list.getByRole('article').filter({ has: page.getByRole('list', { name: 'Steps' }) });
	}

	/** Opens the page and waits until the conversation is there and live. */
	async open(path = '/') {
		await this.page.goto(path);
		await this.live();
		await this.list.waitFor();
	}

	/** Waits until the connection stands. */
	async live() {
		await this.page.getByText('live', { exact: true }).waitFor();
	}

	/** The chat in another window. */
	of(page) {
		return new Chat(page);
	}

	/** Waits until what was attached has been uploaded, and sends it. */
	async sendFiles() {
		await this.page.getByRole('list', { name: 'Attached files' }).waitFor();
		await this.page.getByRole('button', { name: 'Send' }).last().click();
	}

	/** Types a line and sends it. */
	async say(line) {
		await this.field.fill(line);
		await this.field.press('Enter');
	}

	/** The message that holds this text. */
	message(text) {
		return this.list.getByRole('article').filter({ hasText: text });
	}

	/** Waits until the only card of an execution, or the given one, shows this state. */
	async reaches(status, card = this.runs) {
		await card.locator(`.head [data-status="${status}"]`).waitFor({ timeout: 60_000 });
	}

	/** From now on every state that the card of an execution shows is kept. */
	async notesStates() {
		await this.page.evaluate(() => {
			globalThis.states = [];
			const look = () => {
				const state = document.querySelector('article .head [data-status]')?.dataset.status;
				if (state && state !== globalThis.states.at(-1)) globalThis.states.push(state);
			};
			new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
		});
	}

	/** What was kept. */
	states() {
		return this.page.evaluate(() => globalThis.states);
	}

	/** Drops files of this machine onto the page, as a file manager does. */
	async drop(...files) {
		const content = files.map(({ name, type, bytes }) => ({ name, type, text: bytes.toString('base64') }));
		const transfer = await this.page.evaluateHandle((given) => {
			const data = new DataTransfer();
			for (const { name, type, text } of given) {
				const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
				data.items.add(new File([bytes], name, { type }));
			}
			return data;
		}, content);
		for (const event of ['dragenter', 'dragover', 'drop']) await this.list.dispatchEvent(event, { dataTransfer: transfer });
	}
}
