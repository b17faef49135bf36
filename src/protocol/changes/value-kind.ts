import type { ValueKind } from '../../contracts/change.ts';
import { typeDepthMax } from '../../core/limits.ts';

type ScalarKind = Exclude<ValueKind, object>;

/** Of a row of pg_type, what its values look like depends on. `typoutput` is the function's name. */
export type TypeFacts = {
  readonly typtype: string;
  /** Of a domain; else 0. */
  readonly typbasetype: number;
  readonly typelem: number;
  /** Between the elements of arrays of this type. */
  readonly typdelim: string;
  readonly typoutput: string;
};

/** Postgres prints the values of exactly these types as array literals; int2vector is none. */
const arrayOutput = 'array_out';
const boxOid = 603;

/** OIDs of scalar types and of their arrays, which are the same in every Postgres. */
const builtinScalars: Readonly<Record<ScalarKind, readonly number[]>> = {
  // int8, int2, int4, oid, float4, float8, numeric
  number: [20, 21, 23, 26, 700, 701, 1700],
  boolean: [16],
  json: [114, 3802],
  // From bytea to xid8; pg_type rows of catalogs and pseudo-types are not among them.
  text: [
    ...[17, 18, 19, 22, 24, 25, 27, 28, 29, 30, 142, 194, 600, 601, 602, 603, 604, 628, 650],
    ...[718, 774, 790, 829, 869, 1033, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1560],
    ...[1562, 1790, 2202, 2203, 2204, 2205, 2206, 2950, 2970, 3220, 3361, 3402, 3614, 3615],
    ...[3642, 3734, 3769, 3904, 3906, 3908, 3910, 3912, 3926, 4072, 4089, 4096, 4191, 4451],
    ...[4532, 4533, 4534, 4535, 4536, 4600, 4601, 5017, 5038, 5069],
  ],
};
const builtinArrays: Readonly<Record<ScalarKind, readonly number[]>> = {
  number: [1005, 1007, 1016, 1021, 1022, 1028, 1231],
  boolean: [1000],
  json: [199, 3807],
  text: [
    ...[143, 271, 629, 651, 719, 775, 791, 1001, 1002, 1003, 1006, 1008, 1009, 1010, 1011, 1012],
    ...[1013, 1014, 1015, 1017, 1018, 1019, 1027, 1034, 1040, 1041, 1115, 1182, 1183, 1185],
    ...[1187, 1263, 1270, 1561, 1563, 2201, 2207, 2208, 2209, 2210, 2211, 2949, 2951, 3221],
    ...[3643, 3644, 3645, 3735, 3770, 3905, 3907, 3909, 3911, 3913, 3927, 4073, 4090, 4097],
    ...[4192, 5039, 6150, 6151, 6152, 6153, 6155, 6157],
  ],
};
const boxArrayOid = 1020;

const builtinKinds: ReadonlyMap<number, ValueKind> = new Map<number, ValueKind>([
  ...kindsOf(builtinScalars, (kind) => kind),
  ...kindsOf(builtinArrays, (arrayOf) => ({ arrayOf, delimiter: ',' })),
  [boxArrayOid, { arrayOf: 'text', delimiter: ';' }],
]);

function kindsOf(
  oids: Readonly<Record<ScalarKind, readonly number[]>>,
  kindOf: (scalar: ScalarKind) => ValueKind,
): [number, ValueKind][] {
  return (Object.keys(oids) as ScalarKind[]).flatMap((scalar) => {
    const kind = kindOf(scalar);
    return oids[scalar].map((oid): [number, ValueKind] => [oid, kind]);
  });
}

/** Of a type of which no row of pg_type is needed; undefined for every other. */
export function builtinValueKind(typeOid: number): ValueKind | undefined {
  return builtinKinds.get(typeOid);
}

/**
 * Of any type. A domain is written as what it is made of, an array by its elements, anything that
 * is not known as its text, which is never wrong. `factsOf` is asked of what is not built in.
 */
export function resolveValueKind(
  typeOid: number,
  factsOf: (typeOid: number) => TypeFacts | undefined,
): ValueKind {
  return resolve(typeOid, factsOf, typeDepthMax);
}

function resolve(
  typeOid: number,
  factsOf: (typeOid: number) => TypeFacts | undefined,
  depthLeft: number,
): ValueKind {
  const builtin = builtinValueKind(typeOid);
  if (builtin !== undefined) return builtin;
  const facts = factsOf(typeOid);
  if (facts === undefined || depthLeft === 0) return 'text';
  if (facts.typtype === 'd') return resolve(facts.typbasetype, factsOf, depthLeft - 1);
  if (facts.typoutput !== arrayOutput) return 'text';
  const element = resolve(facts.typelem, factsOf, depthLeft - 1);
  const defaultDelimiter = facts.typelem === boxOid ? ';' : ',';
  return {
    // An element that is an array itself, of a domain over an array, is a text inside of ours.
    arrayOf: typeof element === 'object' ? 'text' : element,
    delimiter: factsOf(facts.typelem)?.typdelim ?? defaultDelimiter,
  };
}
