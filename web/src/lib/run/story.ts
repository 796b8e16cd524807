/**
 * What happened in a run, from its numbered events: the state of each step, and when it waited and worked. Pure folds;
 * frames may come twice or out of order, and several frames of one event have the same number.
 */
import type { RunFrame, RunStatus, RunView, StepStatus } from '$lib/wire/types';

type Numbered = RunFrame & { seq: number };
const numbered = (frame: RunFrame): frame is Numbered => typeof frame.seq === 'number';
const key = (frame: Numbered) => `${frame.seq}/${frame.type === 'execution' ? 'run' : frame.step}`;

/** The story with these frames in it, in order. Live texts without a number are no part of it. */
export function tell(story: readonly Numbered[], frames: readonly RunFrame[]): readonly Numbered[] {
	const known = new Set(story.map(key));
	const fresh = frames.filter(numbered).filter((frame) => !known.has(key(frame)) && known.add(key(frame)));
	if (!fresh.length) return story;
	return [...story, ...fresh].sort((one, other) => one.seq - other.seq);
}

export const lastNumber = (story: readonly Numbered[]) => story.at(-1)?.seq ?? 0;

const OVER: readonly RunStatus[] = ['completed', 'failed', 'cancelled', 'timed_out'];

/** The view, moved on by a frame until the service has been asked again. */
export function apply(view: RunView, frame: RunFrame): RunView {
	if (frame.type === 'execution') {
		const over = OVER.includes(frame.status);
		return {
			...view,
			status: frame.status,
			started_at: view.started_at ?? (frame.status === 'running' ? frame.at : view.started_at),
			finished_at: over ? frame.at : null,
		};
	}
	if (!numbered(frame)) return view;
	const steps = view.steps.map((step) => {
		if (step.index !== frame.step) return step;
		const begins = frame.status === 'running';
		return {
			...step,
			status: frame.status,
			attempts: begins && step.status !== 'running' ? step.attempts + 1 : step.attempts,
			started_at: step.started_at ?? (begins ? frame.at : step.started_at),
		};
	});
	return { ...view, steps };
}

export interface Span {
	kind: 'wait' | 'work' | 'failed';
	/** Milliseconds since the epoch. */
	from: number;
	/** `undefined`: goes on. */
	to?: number;
	attempt?: number;
}

export interface Row {
	index: number;
	name: string;
	status: StepStatus;
	spans: Span[];
}

const SETTLED: readonly StepStatus[] = ['completed', 'failed', 'skipped', 'cancelled'];

/** For each step its spans of waiting and working; where events are missing, what the view itself says. */
export function rows(view: RunView, story: readonly Numbered[]): Row[] {
	return view.steps.map((step) => {
		const spans: Span[] = [];
		let open: Span | undefined;
		let attempt = 0;
		const close = (at: number, kind?: Span['kind']) => {
			if (!open) return;
			open.to = at;
			if (kind) open.kind = kind;
			open = undefined;
		};
		for (const frame of story) {
			const at = Date.parse(frame.at);
			if (frame.type === 'execution') {
				// Nothing of a step goes on while the run stands still or after its end.
				if (open?.kind === 'wait' && OVER.includes(frame.status)) close(at);
				continue;
			}
			if (frame.step !== step.index) continue;
			if (frame.status === 'running') {
				if (open?.kind === 'work') continue;
				close(at);
				open = { kind: 'work', from: at, attempt: ++attempt };
				spans.push(open);
			} else if (frame.status === 'retrying') {
				close(at, 'failed');
				open = { kind: 'wait', from: at };
				spans.push(open);
			} else if (frame.status === 'waiting' || frame.status === 'pending') {
				if (open?.kind === 'wait') continue;
				const worked = open !== undefined;
				close(at);
				if (!worked && frame.status === 'pending') continue;
				open = { kind: 'wait', from: at };
				spans.push(open);
			} else if (SETTLED.includes(frame.status)) {
				close(at, frame.status === 'failed' && open?.kind === 'work' ? 'failed' : undefined);
			}
		}
		if (!spans.length && step.started_at) {
			const from = Date.parse(step.started_at);
			const ended = SETTLED.includes(step.status) && step.duration !== null && step.duration !== undefined;
			spans.push({
				kind: step.status === 'failed' ? 'failed' : 'work',
				from,
				to: ended ? from + (step.duration ?? 0) * 1000 : undefined,
				attempt: step.attempts,
			});
		}
		return { index: step.index, name: step.name, status: step.status, spans };
	});
}

export interface Scale {
	from: number;
	to: number;
	ticks: number[];
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000];

/** From when to when the timeline goes, and where it is marked: at most `most` round places. */
export function scale(view: RunView, all: readonly Row[], now: number, most = 6): Scale {
	const from = Date.parse(view.created_at);
	const ends = all.flatMap(({ spans }) => spans.map(({ to }) => to ?? now));
	const to = Math.max(from + 1, view.finished_at ? Date.parse(view.finished_at) : now, ...ends);
	const length = to - from;
	const step = STEPS.find((candidate) => length / candidate <= most) ?? Math.ceil(length / most / 3_600_000) * 3_600_000;
	const ticks = [];
	for (let at = 0; at <= length; at += step) ticks.push(at);
	return { from, to, ticks };
}
