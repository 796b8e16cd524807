// After the build: moves SvelteKit's inline start script into a file, because the server's policy is `script-src 'self'`,
// and refuses a page in which anything inline is left.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const build = join(fileURLToPath(new URL('..', import.meta.url)), 'build');
const file = join(build, 'index.html');
const inline = /<script>([\s\S]*?)<\/script>/g;

let moved = 0;
const page = readFileSync(file, 'utf8').replace(inline, (_, script) => {
	// Indentation only; the file's name is the hash of its content, as all names below `immutable` are.
	const text = `${script.replace(/^\t+/gm, '').trim()}\n`;
	const name = `_app/immutable/start.${createHash('sha256').update(text).digest('hex').slice(0, 8)}.js`;
	writeFileSync(join(build, name), text);
	moved += 1;
	return `<script src="/${name}"></script>`;
});

const left = page.match(/<script(?![^>]*\bsrc=)|<style|\sstyle="|\son\w+="|https?:\/\/(?!www\.w3\.org)/i);
if (moved !== 1 || left) {
	console.error(`finish: ${left ? `\`${left[0]}\` is left in index.html` : `${moved} inline scripts instead of one`}`);
	process.exit(1);
}
writeFileSync(file, page);
