// What the first page costs on the wire: every script and stylesheet that a cold Chromium would fetch before the chat can
// be used, gzipped, added up. Fails above the budget, and when the graph is not a chunk of its own.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET = 80_000;
const GRAPH_BUDGET = 130_000;
const build = join(fileURLToPath(new URL('..', import.meta.url)), 'build');
const gz = (path) => gzipSync(readFileSync(join(build, path)), { level: 9 }).length;
const read = (path) => readFileSync(join(build, path), 'utf8');

/** Static imports, transitively. */
function closure(starts) {
	const seen = new Set();
	const visit = (path) => {
		if (seen.has(path)) return;
		seen.add(path);
		if (!path.endsWith('.js')) return;
		const folder = path.slice(0, path.lastIndexOf('/'));
		for (const [, from] of read(path).matchAll(/(?:from|import)\s*["'](\.{1,2}\/[^"']+)["']/g)) {
			visit(new URL(from, `file:///${folder}/`).pathname.slice(1));
		}
	};
	starts.forEach(visit);
	return seen;
}

const page = read('index.html');
const start = [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((found) => found[1]);
const boot = start.find((path) => path.includes('/start.'));
const imported = [...read(boot).matchAll(/import\("\/([^"]+)"\)/g)].map((found) => found[1]);
// The root route's nodes are loaded by the router: layout (0) and error (1) always, the chat's page by its name.
const nodes = readdirSync(join(build, '_app/immutable/nodes')).filter((name) => name.endsWith('.js'));
const chat = nodes.filter((name) => /^(0|1|2)\./.test(name)).map((name) => `_app/immutable/nodes/${name}`);
const first = closure([...start, ...imported, ...chat]);
const styles = readdirSync(join(build, '_app/immutable/assets')).filter((name) => /^(0|1|2)\.[^/]*\.css$/.test(name));
for (const name of styles) first.add(`_app/immutable/assets/${name}`);

let total = 0;
for (const path of [...first].sort()) total += gz(path);
const graph = readdirSync(join(build, '_app/immutable/chunks'))
	.map((name) => `_app/immutable/chunks/${name}`)
	.filter((path) => path.endsWith('.js') && !first.has(path))
	.map((path) => [path, gz(path)])
	.sort((a, b) => b[1] - a[1]);

const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB gz`;
console.log(`first page: ${kb(total)} of ${kb(BUDGET)} in ${first.size} files`);
console.log(`loaded when needed, largest first: ${graph.slice(0, 3).map(([path, size]) => `${path.split('/').pop()} ${kb(size)}`).join(', ')}`);
const named = (path) => /xyflow|svelte-flow/.test(read(path));
if ([...first].some((path) => path.endsWith('.js') && named(path))) fail('the graph is part of the first page');
if (total > BUDGET) fail('the first page is too large');
if (graph[0] && graph[0][1] > GRAPH_BUDGET) fail('a chunk is too large');

function fail(why) {
	console.error(`size: ${why}`);
	process.exit(1);
}
