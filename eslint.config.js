import tseslint from 'typescript-eslint';

// Typed linting: in a stream processor the bug is the promise nobody awaited.
export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.cache/', 'src/client/api-types.ts'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name: one word for one thing.' },
      ],
    },
  },
  {
    // The process is global state: only the edges of the program may read or end it.
    files: ['src/**'],
    ignores: [
      'src/composition.ts',
      'src/index.ts',
      'src/cli/**',
      'src/config/**',
      'src/inference/worker/entry.ts',
      'src/lab/models-report/visit-entry.ts',
      'src/app/verify-entry.ts',
    ],
    rules: { 'no-restricted-globals': ['error', 'process'] },
  },
  { files: ['examples/**'], rules: { 'no-console': 'off' } },
  {
    // Numeric kernels index typed arrays within bounds that their loops state.
    files: [
      'src/sampler/**',
      'src/inference/engines/reference/**',
      'src/inference/network/**',
      'src/inference/stream/**',
      'src/inference/weights/**',
      'src/core/cells.ts',
      'src/ingest/{camera-noise,frame-measures}.ts',
      'src/pipeline/motion-region.ts',
      'src/ingest/raw-frame-splitter.ts',
      'src/lab/teach/{logistic,linear-head}.ts',
      'tools/**',
      'bench/**',
      'test/**',
    ],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  { files: ['tools/**', 'bench/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs', '*.config.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
);
