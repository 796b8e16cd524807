import { isOver } from '$lib/parts/tone';
import type { RunStatus, RunView, Values } from '$lib/wire/types';

/** What can be asked of a run in this state; the service has the last word. */
export const allows = {
	pause: (status: RunStatus) => status === 'running' || status === 'queued' || status === 'waiting',
	resume: (status: RunStatus) => status === 'paused' || status === 'pausing',
	cancel: (status: RunStatus) => !isOver(status) && status !== 'cancelling',
	retry: (status: RunStatus) => status === 'failed' || status === 'cancelled' || status === 'timed_out',
	rerun: (status: RunStatus) => isOver(status),
};

const bare = /^[\w.,:/@+-]+$/;
const word = (value: unknown) => {
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return bare.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
};

/** The line that starts the same in a chat. */
export const chatCommand = (workflow: string, inputs: Values = {}) =>
	['/workflow run', workflow, ...Object.entries(inputs).map(([key, value]) => `${key}=${word(value)}`)].join(' ');

/** The same over HTTP, for a POSIX shell. */
export const curl = (origin: string, workflow: string, inputs: Values = {}) =>
	`curl -sS -X POST '${origin}/api/workflow/${encodeURIComponent(workflow)}/execute' -H 'content-type: application/json' -d '${JSON.stringify({ inputs }).replace(/'/g, "'\\''")}'`;

/** Lines of the log that speak of one step: they begin with its name. */
export const linesOf = (view: RunView, name: string) => (view.log ?? []).filter(({ text }) => text.startsWith(`${name}:`));
