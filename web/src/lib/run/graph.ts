/** The steps of a workflow as a graph: which follows which, and where one gets by an arrow key. No framework, no layout. */
import type { PlanStep } from '$lib/wire/types';

export interface Edge {
	from: string;
	to: string;
}

/** Ids of what must be settled before a step: the wire says them as a list, or in words (`a, b`; `the start`). */
const before = (after: PlanStep['after']) => (Array.isArray(after) ? after : after.split(',').map((part) => part.trim()));

/**
 * The edges between these steps. What the plan says of steps that the run does not have is left out (the workflow may have
 * changed since); a run without any plan is a row of steps.
 */
export function edges(steps: readonly { id: string }[], plan: readonly PlanStep[]): Edge[] {
	const ids = new Set(steps.map(({ id }) => id));
	if (!plan.some(({ id }) => ids.has(id))) {
		return steps.slice(1).map(({ id }, index) => ({ from: steps[index]!.id, to: id }));
	}
	const found: Edge[] = [];
	for (const step of plan) {
		if (!ids.has(step.id)) continue;
		for (const from of new Set(before(step.after))) if (ids.has(from) && from !== step.id) found.push({ from, to: step.id });
	}
	return found;
}

export type Key = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';

/** Where a key leads: right and left along edges, up and down among steps that stand side by side, then in their order. */
export function move(steps: readonly { id: string }[], links: readonly Edge[], at: string, key: Key): string {
	const next = (id: string) => links.filter(({ from }) => from === id).map(({ to }) => to);
	const last = (id: string) => links.filter(({ to }) => to === id).map(({ from }) => from);
	if (key === 'ArrowRight') return next(at)[0] ?? at;
	if (key === 'ArrowLeft') return last(at)[0] ?? at;
	const beside = (id: string) => {
		const parents = last(id);
		const children = next(id);
		return steps
			.map((step) => step.id)
			.filter((other) => {
				if (other === id) return true;
				const sharesParent = parents.length ? last(other).some((parent) => parents.includes(parent)) : last(other).length === 0;
				return sharesParent || next(other).some((child) => children.includes(child));
			});
	};
	const row = beside(at);
	const order = row.length > 1 ? row : steps.map((step) => step.id);
	const place = order.indexOf(at) + (key === 'ArrowDown' ? 1 : -1);
	return order[Math.max(0, Math.min(order.length - 1, place))] ?? at;
}
