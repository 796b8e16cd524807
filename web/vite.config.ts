import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * SvelteKit's page announcer brings a style attribute, which the server's `style-src 'self'` forbids. Its looks stand in
 * `app.css` instead. The build fails when the announcer no longer looks as it does here.
 */
function announcerWithoutStyle(): Plugin {
	const attribute = /(<div id="svelte-announcer"[^>]*?) style="[^"]*"/;
	return {
		name: 'announcer-without-style',
		enforce: 'pre',
		transform(code, id) {
			if (!id.split('?', 1).join().endsWith('/generated/root.svelte')) return;
			if (!attribute.test(code)) this.error('the announcer of SvelteKit has changed; see vite.config.ts');
			return { code: code.replace(attribute, '$1'), map: null };
		},
	};
}

export default defineConfig({
	plugins: [announcerWithoutStyle(), sveltekit()],
	build: { target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false },
	test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
	server: { proxy: { '/api': { target: process.env.WORKFLOW_URL ?? 'http://127.0.0.1:8080', ws: true } } },
});
