import {
  encodeModel,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './onnx-proto.ts';

/** Collects one ONNX graph; methods that add a tensor return its name. */
export interface GraphWriter {
  /**
   * Nodes from here on carry this word before the `/` of their names, and so do their tensors:
   * profiles tell where time goes.
   */
  section(name: string): void;
  input(info: OnnxValueInfo): string;
  /** Gives a tensor the public name of the output. */
  output(tensor: string, info: OnnxValueInfo): void;
  /** An empty input name leaves an optional input out. */
  node(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): string;
  floats(data: Float32Array, shape: readonly number[]): string;
  /** A one-dimensional int64 constant: shapes, axes, slice bounds. Equal ones are written once. */
  ints(values: readonly number[]): string;
  /**
   * `CLIPS` stands for the number of clips that are computed at once: see `clipsOf`. One dimension
   * may be -1.
   */
  reshape(tensor: string, shape: readonly Dimension[]): string;
  /** From here on the number of clips is the first dimension of that input; without it, one. */
  clipsOf(input: string): void;
  /** True after `clipsOf`. */
  readonly batched: boolean;
  /** The bytes of the model. */
  encode(): Uint8Array;
}

/** Known when the graph is written, or the number of clips. */
export type Dimension = number | typeof CLIPS;

export const CLIPS = 'clips';

export function createGraphWriter(name: string): GraphWriter {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  const intConstants = new Map<string, string>();
  /** Public names of outputs, put in where the graph is encoded: an Identity node would copy the tensor. */
  const publicNames = new Map<string, string>();

  /** Shapes that are known at run time only, by what they are made of. */
  const shapes = new Map<string, string>();
  let clips: string | undefined;
  let section = '';

  const published = (name: string): string => publicNames.get(name) ?? name;

  const node: GraphWriter['node'] = (op, from, attributes = {}, domain = '') => {
    const tensor = `${section}/t${nodes.length}`;
    nodes.push({
      op,
      domain,
      name: `${section}/${op}_${nodes.length}`,
      inputs: from,
      outputs: [tensor],
      attributes,
    });
    return tensor;
  };

  const ints: GraphWriter['ints'] = (values) => {
    const key = values.join(',');
    const known = intConstants.get(key);
    if (known !== undefined) return known;
    const constant = `c${initializers.length}`;
    initializers.push({ name: constant, shape: [values.length], data: BigInt64Array.from(values, BigInt) });
    intConstants.set(key, constant);
    return constant;
  };

  const shapeTensor = (shape: readonly Dimension[]): string => {
    if (clips === undefined || !shape.includes(CLIPS))
      return ints(shape.map((dimension) => (dimension === CLIPS ? 1 : dimension)));
    const key = shape.join(',');
    const count = clips;
    const parts = shape.map((dimension) => (dimension === CLIPS ? count : ints([dimension])));
    const known = shapes.get(key) ?? node('Concat', parts, { axis: 0 });
    shapes.set(key, known);
    return known;
  };

  return {
    section: (name) => {
      section = name;
    },
    input: (info) => {
      inputs.push(info);
      return info.name;
    },
    output: (tensor, info) => {
      publicNames.set(tensor, info.name);
      outputs.push(info);
    },
    node,
    floats: (data, shape) => {
      const constant = `c${initializers.length}`;
      initializers.push({ name: constant, shape, data });
      return constant;
    },
    ints,
    reshape: (tensor, shape) => node('Reshape', [tensor, shapeTensor(shape)]),
    clipsOf: (input) => {
      clips = node('Shape', [input], { start: 0, end: 1 });
    },
    get batched() {
      return clips !== undefined;
    },
    encode: () => {
      const renamed = nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(published),
        outputs: node.outputs.map(published),
      }));
      return encodeModel({ name, nodes: renamed, initializers, inputs, outputs });
    },
  };
}
