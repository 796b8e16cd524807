// The chat as a person meets it: by roles and names, never by how the page is made.
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
