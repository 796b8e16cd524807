// The real service, for one test: a process of its own, on a free port, with a storage folder of its own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.mjs';

/** The folder of the whole project. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** A document of the project's own tests. */
export const document = (name) => join(ROOT, 'tests/fixtures/documents', name);

const BINARY = process.env.WORKFLOW_BINARY ?? join(ROOT, 'target/debug/workflow');

/** The environment without what this shell has set: tests show the defaults. */
const clean = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WORKFLOW_')));

export class Service {
	/** What it wrote, for a test that failed. */
	said = '';
	#process;

	constructor(folder, settings) {
		this.folder = folder;
		this.settings = settings;
	}

	/** Starts one. `settings` are environment variables without `WORKFLOW_`. */
	static async start(settings = {}) {
		if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}; \`make test-web\` builds it, or WORKFLOW_BINARY names another`);
		const service = new Service(await mkdtemp(join(tmpdir(), 'workflow-page-')), settings);
		await service.#run('127.0.0.1:0');
		return service;
	}

	/** Ends it as hard as a machine can. */
	async kill() {
		await this.#end('SIGKILL');
	}

	/** Starts it again on the same port, with what it has stored. */
	async startAgain() {
		await this.#run(this.host);
	}

	/** Ends it and removes what it stored. */
	async remove() {
		await this.kill();
		await rm(this.folder, { recursive: true, force: true });
	}

	async #run(listen) {
		const address = join(this.folder, 'http.addr');
		await rm(address, { force: true });
		const given = Object.entries(this.settings).map(([name, value]) => [`WORKFLOW_${name}`, String(value)]);
		const child = spawn(BINARY, ['serve'], {
			cwd: this.folder,
			env: { ...clean(), WORKFLOW_STORAGE_PATH: this.folder, WORKFLOW_LISTEN: listen, ...Object.fromEntries(given) },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		this.#process = child;
		const note = (text) => (this.said = `${this.said}${text}`.slice(-20_000));
		child.stdout.on('data', note);
		child.stderr.on('data', note);
		this.host = await until('the service listens', async () => {
			if (child.exitCode !== null) throw new Error(`the service ended by itself:\n${this.said}`);
			return existsSync(address) && (await readFile(address, 'utf8')).trim();
		});
		this.url = `http://${this.host}`;
	}

	async #end(signal) {
		const child = this.#process;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const over = new Promise((resolve) => child.once('exit', resolve));
		child.kill(signal);
		await over;
	}

	/** Asks as another program of this machine would. */
	async ask(method, path, body) {
		const token = this.settings.API_TOKEN;
		const response = await fetch(this.url + path, {
			method,
			headers: {
				...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
				...(token ? { authorization: `Bearer ${token}` } : {}),
			},
			body: body === undefined || body instanceof FormData ? body : JSON.stringify(body),
		});
		const text = await response.text();
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
		return text ? JSON.parse(text) : null;
	}

	/** Keeps a workflow under this name; the steps as a workflow file has them. */
	async workflow(name, steps, more = {}) {
		return (await this.ask('POST', '/api/workflow/create', { name, definition: JSON.stringify({ name, steps, ...more }) })).workflow_id;
	}

	/** Starts an execution from outside the page. */
	async execute(name, inputs = {}) {
		return (await this.ask('POST', `/api/workflow/${encodeURIComponent(name)}/execute`, { inputs })).execution_id;
	}

	/** Says something in a channel from outside the page. */
	async say(text, channel = 'general') {
		await this.ask('POST', `/api/chat/${channel}/messages`, { client_id: `outside-${text}`, text, files: [] });
	}

	/** Uploads a file from outside the page. */
	async upload(path, name) {
		const form = new FormData();
		form.append('file', new Blob([await readFile(path)]), name);
		return (await this.ask('POST', '/api/files', form)).file_id;
	}

	/** The execution when it is over. */
	async over(execution) {
		return until('the execution is over', async () => {
			const view = await this.ask('GET', `/api/workflow/${execution}/wait?timeout=30`);
			return view.finished_at && view;
		});
	}
}
