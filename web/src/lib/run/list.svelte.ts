/** The list of runs: pages of the history, kept fresh by what the service says has changed. */
import { t } from '$lib/language/index.svelte';
import { api } from '$lib/wire/client';
import { live } from '$lib/wire/live.svelte';
import type { ExecutionRow, Frame } from '$lib/wire/types';

const PAGE = 50;

interface Filters {
	status: string;
	workflow: string;
}

/** Who started it, and where. */
export const ofHistory = (row: ExecutionRow) => (row.origin ? `${row.origin.name} ${doorOf(row.origin.door)}` : '');
/** `in the chat`, `on the page`, … */
export const doorOf = (door: string) => {
	const { other, ...known } = t().run.door;
	return (known as Record<string, string>)[door] ?? other(door);
};

/** The rows with these in their places: known ones are replaced, new ones stand at the head, newest first. */
export function blend(rows: readonly ExecutionRow[], changed: readonly ExecutionRow[], fits: (row: ExecutionRow) => boolean) {
	const fresh = new Map(changed.map((row) => [row.execution_id, row]));
	const kept = rows.map((row) => fresh.get(row.execution_id) ?? row).filter(fits);
	const known = new Set(rows.map((row) => row.execution_id));
	const added = [...fresh.values()].filter((row) => !known.has(row.execution_id) && fits(row));
	return [...added, ...kept].sort((one, other) => other.created_at.localeCompare(one.created_at) || other.execution_id.localeCompare(one.execution_id));
}

export class RunList {
	rows: readonly ExecutionRow[] = $state.raw([]);
	next: string | null = $state(null);
	busy = $state(true);
	problem: unknown = $state.raw();
	/** Which asking is the newest: an earlier answer that comes later is none. */
	#asked = 0;

	constructor(readonly filters: () => Filters) {}

	enter() {
		this.rows = [];
		void this.#ask();
		return live.subscribe({
			topic: { kind: 'executions' },
			after: () => 0,
			frame: (frame: Frame) => {
				if (frame.type === 'executions') this.rows = blend(this.rows, frame.changed, this.#fits);
			},
			resync: () => void this.#ask(),
		});
	}

	refresh = () => void this.#ask();
	more = () => this.#ask(this.next);

	#fits = (row: ExecutionRow) => {
		const { status, workflow } = this.filters();
		return (!status || row.status === status) && (!workflow || row.workflow === workflow || row.workflow_id === workflow);
	};

	async #ask(before?: string | null) {
		const asked = ++this.#asked;
		this.busy = true;
		try {
			const { executions, next } = await api.history({ ...this.filters(), limit: PAGE, before });
			if (asked !== this.#asked) return;
			this.rows = before ? blend(this.rows, executions, () => true) : executions;
			this.next = next ?? null;
			this.problem = undefined;
		} catch (error) {
			if (asked === this.#asked) this.problem = error;
		} finally {
			if (asked === this.#asked) this.busy = false;
		}
	}
}
