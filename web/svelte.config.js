import adapter from '@sveltejs/adapter-static';

/** Static files only: the server answers every unknown page path with `index.html`, the page finds its way itself. */
export default {
	compilerOptions: { runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true) },
	kit: {
		adapter: adapter({ pages: 'build', assets: 'build', fallback: 'index.html', precompress: false }),
		paths: { relative: false },
		version: { name: process.env.WORKFLOW_WEB_VERSION ?? 'page' },
		alias: { $tests: 'tests' },
	},
};
