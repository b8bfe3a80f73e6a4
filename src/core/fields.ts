/**
 * What a record consists of, as data: a list of fields is the one home of a kind of record
 * (record-fields.ts). Types, payloads, columns, rows, comparisons and JSON Schemas are made of it.
 */
export interface Fields {
  readonly [name: string]: Field | Group<Fields>;
}

/** How each kind of value is described in a JSON Schema and held in a column of Postgres. */
export const VALUE_KINDS = {
  text: { schema: { type: 'string' }, column: 'text' },
  uuid: { schema: { type: 'string', format: 'uuid' }, column: 'uuid' },
  time: { schema: { type: 'string', format: 'date-time', pattern: 'Z$' }, column: 'timestamptz' },
  /** Below 2^31. */
  smallCount: { schema: { type: 'integer', minimum: 0 }, column: 'integer' },
  count: { schema: { type: 'integer', minimum: 0 }, column: 'bigint' },
  amount: { schema: { type: 'number', minimum: 0 }, column: 'double precision' },
  number: { schema: { type: 'number' }, column: 'double precision' },
  list: { schema: { type: 'array' }, column: 'jsonb' },
  texts: { schema: { type: 'array', items: { type: 'string' } }, column: 'text[]' },
} as const;

export interface Field<Value = unknown> {
  readonly kind: keyof typeof VALUE_KINDS;
  /** What consumers read in the schema. */
  readonly doc: string | undefined;
  readonly isOptional?: true;
  /** Another one each time that the same file is run. */
  readonly isPerRun?: true;
  /** Of a list: the fields of its items. */
  readonly items?: Fields;
  /** Never set: tells the type checker the type of the value. */
  readonly valueType?: Value;
}

/** An object in the payload, columns side by side in the table. */
export interface Group<Members> {
  readonly members: Members;
  readonly doc: string | undefined;
  readonly isOptional?: true;
  readonly columnOf: (name: string) => string;
}

export const text = <Value extends string = string>(doc?: string): Field<Value> => ({ kind: 'text', doc });
export const uuid = (doc?: string): Field<string> => ({ kind: 'uuid', doc });
/** RFC 3339 UTC. */
export const time = (doc?: string): Field<string> => ({ kind: 'time', doc });
export const smallCount = (doc?: string): Field<number> => ({ kind: 'smallCount', doc });
export const count = (doc?: string): Field<number> => ({ kind: 'count', doc });
export const amount = (doc?: string): Field<number> => ({ kind: 'amount', doc });
export const number = (doc?: string): Field<number> => ({ kind: 'number', doc });
export const texts = (doc?: string): Field<string[]> => ({ kind: 'texts', doc });
export const listOf = <Items extends Fields>(items: Items): Field<readonly PayloadOf<Items>[]> => ({
  kind: 'list',
  doc: undefined,
  items,
});

export function group<Members extends Fields>(
  members: Members,
  {
    doc,
    columnOf = (name) => name,
  }: { readonly doc?: string; readonly columnOf?: (name: string) => string } = {},
): Group<Members> {
  return { members, doc, columnOf };
}

/** Left out of the payload where unknown, never null. */
export function optional<Of extends object>(field: Of): Of & { readonly isOptional: true } {
  return { ...field, isOptional: true };
}

export function perRun<Of extends Field>(field: Of): Of & { readonly isPerRun: true } {
  return { ...field, isPerRun: true };
}

/** The type of the payload that these fields make up. */
export type PayloadOf<List> = Flat<
  { readonly [Name in keyof List as List[Name] extends Optional ? never : Name]: ValueOf<List[Name]> } & {
    readonly [Name in keyof List as List[Name] extends Optional ? Name : never]?: ValueOf<List[Name]>;
  }
>;

interface Optional {
  readonly isOptional: true;
}
type Flat<Type> = { [Name in keyof Type]: Type[Name] };
type ValueOf<Of> =
  Of extends Group<infer Members> ? PayloadOf<Members> : Of extends Field<infer Value> ? Value : never;

/** A field that is no group: where it is in the payload, and its column. */
export interface Leaf {
  readonly path: readonly string[];
  readonly column: string;
  readonly field: Field;
}

/** All fields that hold a value, in the order of the payload. */
export function leavesOf(fields: Fields): readonly Leaf[] {
  return Object.entries(fields).flatMap(([name, field]) => leavesAt([name], field, name));
}

function leavesAt(path: readonly string[], field: Field | Group<Fields>, column: string): readonly Leaf[] {
  if (!isGroup(field)) return [{ path, column, field }];
  return Object.entries(field.members).flatMap(([name, member]) =>
    leavesAt([...path, name], member, field.columnOf(name)),
  );
}

export function isGroup(field: Field | Group<Fields>): field is Group<Fields> {
  return 'members' in field;
}
