// Who may import whom. Each rule says why it exists; the build fails on a breach.
const outside = (folder, allowed) => ({
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle has no first line to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-is-the-vocabulary',
      comment: 'core is shared by all, so it may know none of us.',
      severity: 'error',
      ...outside('core', []),
    },
    {
      name: 'pure-folders-do-no-io',
      comment: 'Pure folders are tested exactly and shared by every engine.',
      severity: 'error',
      from: { path: '^src/(core|sampler|evaluation)/' },
      to: { dependencyTypes: ['npm', 'core'], pathNot: '^(node:)?crypto$|uuid' },
    },
    {
      name: 'sampler-is-mathematics',
      comment: 'The sampler needs no tensor library and no stage.',
      severity: 'error',
      ...outside('sampler', ['core']),
    },
    {
      name: 'ingest-knows-no-other-stage',
      comment: 'Ingest makes clips; what becomes of them is not its business.',
      severity: 'error',
      ...outside('ingest', ['core']),
    },
    {
      name: 'inference-knows-core-and-sampler',
      comment: 'Inference turns clips into scores; it delivers nothing.',
      severity: 'error',
      ...outside('inference', ['core', 'sampler']),
    },
    {
      name: 'engines-do-not-know-each-other',
      comment: 'An engine must be removable by deleting its folder.',
      severity: 'error',
      from: { path: '^src/inference/engines/([^/]+)/' },
      to: { path: '^src/inference/engines/([^/]+)/', pathNot: '^src/inference/engines/$1/' },
    },
    {
      name: 'events-know-only-core',
      comment: 'Episodes are pure state over scores.',
      severity: 'error',
      ...outside('events', ['core']),
    },
    {
      name: 'sink-knows-only-core',
      comment: 'A sink accepts records, whoever made them.',
      severity: 'error',
      ...outside('sink', ['core']),
    },
    {
      name: 'datasets-know-only-core',
      comment:
        'A list of labelled clips means nothing of networks: whoever trains, evaluates or imports reads it.',
      severity: 'error',
      ...outside('datasets', ['core']),
    },
    {
      name: 'evaluation-knows-only-core',
      comment: 'Figures are computed from scores and truth, whoever made them.',
      severity: 'error',
      ...outside('evaluation', ['core']),
    },
    {
      name: 'report-knows-nobody',
      comment: 'A plot is data about anything: what the numbers mean is the business of who made them.',
      severity: 'error',
      ...outside('report', ['core']),
    },
    {
      name: 'resvg-in-one-file',
      comment: 'The renderer must be replaceable.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/report/render-png.ts$' },
      to: { path: 'node_modules/@resvg' },
    },
    {
      name: 'rxjs-stays-in-ingest-and-pipeline',
      comment: 'RxJS has no back-pressure; at the edges we pull.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(ingest|pipeline)/|^src/main.ts' },
      to: { path: 'node_modules/rxjs' },
    },
    {
      name: 'kafka-client-in-one-folder',
      comment: 'The client must be replaceable.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/sink/kafka/' },
      to: { path: 'node_modules/kafkajs' },
    },
    {
      name: 'pg-in-one-folder',
      comment: 'The client must be replaceable.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/sink/postgres/' },
      to: { path: 'node_modules/(pg|pg-copy-streams)/' },
    },
    {
      name: 'fluent-ffmpeg-in-one-file',
      comment: 'The library is archived upstream (ADR 0009): one file knows it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ingest/ffmpeg-command.ts$' },
      to: { path: 'node_modules/fluent-ffmpeg' },
    },
    {
      name: 'onnxruntime-in-its-engine',
      comment: 'A runtime is known by its own engine only.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/inference/engines/onnx/' },
      to: { path: 'node_modules/onnxruntime' },
    },
    {
      name: 'pipeline-sees-types-of-stages',
      comment: 'The pipeline is wired by main.ts; concrete engines and sinks stay out of it.',
      severity: 'error',
      from: { path: '^src/pipeline/' },
      to: { path: '^src/(inference|sink|config|cli)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'commands-do-not-know-engines',
      comment: 'Commands receive what they need from main.ts.',
      severity: 'error',
      from: { path: '^src/(cli|config)/' },
      to: { path: '^src/inference/engines/' },
    },
    {
      name: 'nobody-imports-main',
      comment: 'main.ts is the composition root.',
      severity: 'error',
      from: {},
      to: { path: '^src/main.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
