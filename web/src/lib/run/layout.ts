/** Where the steps stand: computed, left to right, never saved. Loaded together with the graph only. */
import dagre from '@dagrejs/dagre';
import type { Edge } from './graph';

export const WIDTH = 196;
export const HEIGHT = 54;

export interface Placed {
	id: string;
	x: number;
	y: number;
}

/** Top left corners of the boxes. Edges to unknown boxes and loops are left out rather than thrown at the layout. */
export function arrange(ids: readonly string[], links: readonly Edge[], vertical = false): Placed[] {
	const graph = new dagre.graphlib.Graph();
	graph.setGraph({ rankdir: vertical ? 'TB' : 'LR', nodesep: 22, ranksep: 54, marginx: 8, marginy: 8 });
	graph.setDefaultEdgeLabel(() => ({}));
	const known = new Set(ids);
	for (const id of ids) graph.setNode(id, { width: WIDTH, height: HEIGHT });
	for (const { from, to } of links) if (known.has(from) && known.has(to) && from !== to) graph.setEdge(from, to);
	dagre.layout(graph);
	return ids.map((id) => {
		const { x, y } = graph.node(id) as { x: number; y: number };
		return { id, x: x - WIDTH / 2, y: y - HEIGHT / 2 };
	});
}
