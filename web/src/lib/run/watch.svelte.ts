/** One run, live: the view from the service, moved on by events at once and asked again when something has ended. */
import { speaker } from '$lib/frame/speaker.svelte';
import { t } from '$lib/language/index.svelte';
import { isOver } from '$lib/parts/tone';
import { api } from '$lib/wire/client';
import { live } from '$lib/wire/live.svelte';
import type { Frame, RunFrame, RunView, Status, WorkflowDetail } from '$lib/wire/types';
import { apply, lastNumber, tell } from './story';

const COALESCE = 250;
const POLL = 5000;
/** States worth saying. */
const ENDS: readonly Status[] = ['completed', 'failed', 'skipped', 'cancelled', 'timed_out', 'paused', 'waiting'];

export class Watch {
	view: RunView | undefined = $state.raw();
	detail: WorkflowDetail | undefined = $state.raw();
	story: readonly (RunFrame & { seq: number })[] = $state.raw([]);
	/** What running steps say of themselves, by their place. */
	says: ReadonlyMap<number, string> = $state.raw(new Map());
	problem: unknown = $state.raw();

	#timer: ReturnType<typeof setTimeout> | undefined;
	#asking = false;
	#again = false;
	#gone = false;

	constructor(readonly id: string) {}

	enter() {
		this.#gone = false;
		void this.refresh();
		const stop = live.subscribe({
			topic: { kind: 'execution', id: this.id },
			after: () => lastNumber(this.story),
			frame: this.#frame,
			resync: () => void this.refresh(),
		});
		// Without the live connection, ask; a run that is over does not change by itself.
		const poll = setInterval(() => {
			if (live.state === 'lost' && this.view && !isOver(this.view.status)) void this.refresh();
		}, POLL);
		return () => {
			this.#gone = true;
			stop();
			clearInterval(poll);
			clearTimeout(this.#timer);
		};
	}

	refresh = async () => {
		if (this.#asking) {
			this.#again = true;
			return;
		}
		this.#asking = true;
		try {
			const view = await api.run(this.id);
			if (this.#gone) return;
			this.view = view;
			this.problem = undefined;
			if (!this.detail) {
				// A run whose workflow is gone is still a run: its steps are shown in their order.
				this.detail = await api.workflow(view.workflow_id).catch(() => api.workflow(view.workflow).catch(() => undefined));
			}
		} catch (error) {
			this.problem = error;
		} finally {
			this.#asking = false;
			if (this.#again && !this.#gone) {
				this.#again = false;
				void this.refresh();
			}
		}
	};

	take(view: RunView) {
		this.view = { ...this.view, ...view };
		this.#soon();
	}

	#soon() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.refresh(), COALESCE);
	}

	#frame = (frame: Frame) => {
		if (frame.type !== 'workflow_progress' && frame.type !== 'execution') return;
		if (frame.type === 'workflow_progress' && frame.seq === undefined) {
			const text = (frame.result as { text?: unknown } | null | undefined)?.text;
			if (typeof text === 'string') this.says = new Map([...this.says, [frame.step, text]]);
			return;
		}
		const known = this.story;
		this.story = tell(known, [frame]);
		if (this.story === known || !this.view) return;
		// What happened before the view was made is in it already; a view that does not say when it was made is asked for again.
		if (frame.seq! > (this.view.seq ?? Infinity)) {
			this.view = { ...apply(this.view, frame), seq: frame.seq };
			const name = frame.type === 'execution' ? this.view.name : frame.name;
			if (ENDS.includes(frame.status)) speaker.say(t().run.ended(name, t().status[frame.status]), 'run');
		}
		this.#soon();
	};
}
