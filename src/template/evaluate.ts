import { CallError } from './error.ts';
import { nodeText, type Command, type Operand, type Pipeline } from './node.ts';
import {
  GoList,
  GoMap,
  GoNamedInt,
  GoNilPointer,
  GoStruct,
  isTrue,
  methodOf,
  typeName,
  type GoFunction,
  type GoValue,
  type ParameterType,
} from './value.ts';
import { GoTime } from './time.ts';

/** What evaluation needs of the rendering that it belongs to. */
export interface Evaluation {
  readonly functions: ReadonlyMap<string, GoFunction>;
  /** Remembers where evaluation is, for messages. */
  at(node: Operand | Command): void;
  /** Ends the rendering: with Go's message about the node that was remembered last. */
  fail(message: string, cause?: unknown): never;
  /** Counts what a step costs; fails where it is too much. */
  step(): void;
  enter(): void;
  leave(): void;
  /** The result of a call, which may be too large to go on with. */
  checked(value: GoValue, name: string): GoValue;
  variable(name: string): GoValue;
  declare(name: string, value: GoValue): void;
  assign(name: string, value: GoValue): void;
}

/** `undefined` where a pipeline has no value before this command. */
type Final = GoValue | undefined;

/** A pipeline's value (text/template/exec.go, evalPipeline); declares or assigns its variables. */
export function evaluatePipeline(run: Evaluation, dot: GoValue, pipeline: Pipeline): GoValue {
  run.at(pipeline);
  run.enter();
  let value: Final;
  for (const command of pipeline.commands) value = evaluateCommand(run, dot, command, value);
  run.leave();
  const result = value ?? null;
  for (const name of pipeline.variables) {
    if (pipeline.isAssignment) run.assign(name, result);
    else run.declare(name, result);
  }
  return result;
}

function evaluateCommand(run: Evaluation, dot: GoValue, command: Command, final: Final): GoValue {
  run.step();
  const [first, ...rest] = command.operands;
  switch (first.kind) {
    case 'field':
      run.at(first);
      return evaluateFields(run, dot, dot, first, first.names, rest, final);
    case 'chain':
      return evaluateChain(run, dot, first, rest, final);
    case 'identifier':
      return evaluateFunction(run, dot, first, command, rest, final);
    case 'variable':
      return evaluateVariable(run, dot, first, rest, final);
    default:
  }
  if (first.kind !== 'pipeline') run.at(first);
  if (rest.length > 0 || final !== undefined)
    run.fail(`can't give argument to non-function ${nodeText(first)}`);
  if (first.kind === 'nil') return run.fail('nil is not a command');
  return first.kind === 'pipeline' ? evaluatePipeline(run, dot, first) : constant(run, dot, first);
}

type Constant = Extract<Operand, { kind: 'dot' | 'bool' | 'number' | 'string' | 'nil' }>;

/** The value of a literal where nothing says which type it has to be. */
function constant(run: Evaluation, dot: GoValue, node: Constant): GoValue {
  run.at(node);
  switch (node.kind) {
    case 'dot':
      return dot;
    case 'nil':
      return null;
    case 'bool':
    case 'string':
      return node.value;
    default: {
      const { int, float } = node.constant;
      const isHex = /^[+-]?0[xX]/.test(node.text) && !/[pP]/.test(node.text);
      const isFloat = !isHex && !node.text.startsWith("'") && /[.eEpP]/.test(node.text);
      return (isFloat ? float : int) ?? run.fail(`${node.text} overflows int`);
    }
  }
}

type Chain = Extract<Operand, { kind: 'chain' }>;

function evaluateChain(
  run: Evaluation,
  dot: GoValue,
  chain: Chain,
  args: readonly Operand[],
  final: Final,
): GoValue {
  run.at(chain);
  if (chain.node.kind === 'nil') run.fail(`indirection through explicit nil in ${nodeText(chain)}`);
  const receiver = evaluateArgument(run, dot, 'any', chain.node);
  return evaluateFields(run, dot, receiver, chain, chain.fields, args, final);
}

type Variable = Extract<Operand, { kind: 'variable' }>;

function evaluateVariable(
  run: Evaluation,
  dot: GoValue,
  node: Variable,
  args: readonly Operand[],
  final: Final,
): GoValue {
  run.at(node);
  const value = run.variable(node.name);
  if (node.fields.length > 0) return evaluateFields(run, dot, value, node, node.fields, args, final);
  if (args.length > 0 || final !== undefined)
    run.fail(`can't give argument to non-function ${nodeText(node)}`);
  return value;
}

/** `.X.Y.Z`, of which only the last may have arguments. */
function evaluateFields(
  run: Evaluation,
  dot: GoValue,
  start: GoValue,
  node: Operand,
  names: readonly string[],
  args: readonly Operand[],
  final: Final,
): GoValue {
  let receiver = start;
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    receiver = evaluateField(run, dot, receiver, node, name, isLast ? args : [], isLast ? final : undefined);
  }
  return receiver;
}

function evaluateField(
  run: Evaluation,
  dot: GoValue,
  receiver: GoValue,
  node: Operand,
  name: string,
  args: readonly Operand[],
  final: Final,
): GoValue {
  if (receiver === null) return null;
  if (receiver instanceof GoNilPointer)
    return run.fail(`nil pointer evaluating ${receiver.typeName}.${name}`);
  const method = methodOf(receiver, name);
  if (method) return evaluateCall(run, dot, method, node, name, args, final);
  const hasArguments = args.length > 0 || final !== undefined;
  if (receiver instanceof GoStruct) {
    const field = receiver.fields.get(name);
    if (field !== undefined) {
      if (hasArguments) run.fail(`${name} has arguments but cannot be invoked as function`);
      return field;
    }
  }
  if (receiver instanceof GoMap) {
    if (hasArguments) run.fail(`${name} is not a method but has arguments`);
    return receiver.entries.get(name) ?? receiver.zero;
  }
  return run.fail(`can't evaluate field ${name} in type ${typeName(receiver)}`);
}

function evaluateFunction(
  run: Evaluation,
  dot: GoValue,
  node: Extract<Operand, { kind: 'identifier' }>,
  command: Operand | Command,
  args: readonly Operand[],
  final: Final,
): GoValue {
  run.at(node);
  const fn = run.functions.get(node.name);
  if (!fn) return run.fail(`"${node.name}" is not a defined function`);
  checkCount(run, fn, node.name, args.length, final);
  if (node.name === 'and' || node.name === 'or')
    return evaluateLogic(run, dot, node.name === 'or', args, final);
  return evaluateCall(run, dot, fn, command, node.name, args, final);
}

/** `and` and `or` stop at the first argument that decides. */
function evaluateLogic(
  run: Evaluation,
  dot: GoValue,
  isOr: boolean,
  args: readonly Operand[],
  final: Final,
): GoValue {
  let value: GoValue = null;
  for (const arg of args) {
    value = evaluateArgument(run, dot, 'any', arg);
    if (isTrue(value) === isOr) return value;
  }
  return final === undefined ? value : final;
}

function checkCount(run: Evaluation, fn: GoFunction, name: string, argCount: number, final: Final): void {
  const given = argCount + (final === undefined ? 0 : 1);
  const wanted = fn.parameters.length;
  if (fn.rest !== undefined && given < wanted)
    run.fail(`wrong number of args for ${name}: want at least ${wanted} got ${argCount}`);
  if (fn.rest === undefined && given !== wanted)
    run.fail(`wrong number of args for ${name}: want ${wanted} got ${given}`);
}

function evaluateCall(
  run: Evaluation,
  dot: GoValue,
  fn: GoFunction,
  node: Operand | Command,
  name: string,
  args: readonly Operand[],
  final: Final,
): GoValue {
  checkCount(run, fn, name, args.length, final);
  const typeAt = (index: number): ParameterType => fn.parameters[index] ?? fn.rest ?? 'any';
  const values = args.map((arg, index) => evaluateArgument(run, dot, typeAt(index), arg));
  if (final !== undefined) values.push(assignable(run, final, typeAt(values.length)));
  run.step();
  let result: GoValue;
  try {
    result = fn.call(...values);
  } catch (error) {
    run.at(node);
    const message =
      error instanceof CallError ? error.message : `it failed in an unforeseen way (${String(error)})`;
    return run.fail(`error calling ${name}: ${message}`, error);
  }
  return run.checked(result, name);
}

function evaluateArgument(run: Evaluation, dot: GoValue, type: ParameterType, node: Operand): GoValue {
  run.at(node);
  switch (node.kind) {
    case 'dot':
      return assignable(run, dot, type);
    case 'nil':
      if (!canBeNil(type)) run.fail(`cannot assign nil to ${type}`);
      return assignable(run, null, type);
    case 'field':
      return assignable(run, evaluateFields(run, dot, dot, node, node.names, [], undefined), type);
    case 'variable':
      return assignable(run, evaluateVariable(run, dot, node, [], undefined), type);
    case 'pipeline':
      return assignable(run, evaluatePipeline(run, dot, node), type);
    case 'identifier':
      return assignable(run, evaluateFunction(run, dot, node, node, [], undefined), type);
    case 'chain':
      return assignable(run, evaluateChain(run, dot, node, [], undefined), type);
    default:
      return literalArgument(run, dot, type, node);
  }
}

function literalArgument(run: Evaluation, dot: GoValue, type: ParameterType, node: Constant): GoValue {
  switch (type) {
    case 'any':
      return constant(run, dot, node);
    case 'string':
      return node.kind === 'string' ? node.value : run.fail(`expected string; found ${nodeText(node)}`);
    case 'int':
    case 'time.Duration':
      return node.kind === 'number' && node.constant.int !== null
        ? node.constant.int
        : run.fail(`expected integer; found ${nodeText(node)}`);
    default:
      return run.fail(`can't handle ${nodeText(node)} for arg of type ${type}`);
  }
}

function canBeNil(type: ParameterType): boolean {
  return type === 'any' || type === '[]string' || type === '[]interface {}';
}

/** The value, where a parameter of that type takes it. */
function assignable(run: Evaluation, value: GoValue, type: ParameterType): GoValue {
  if (type === 'any') return value;
  if (value === null)
    return canBeNil(type) ? new GoList(type, []) : run.fail(`invalid value; expected ${type}`);
  return hasType(value, type)
    ? value
    : run.fail(`wrong type for value; expected ${type}; got ${typeName(value)}`);
}

function hasType(value: GoValue, type: ParameterType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'time.Time':
      return value instanceof GoTime;
    case 'time.Duration':
      return value instanceof GoNamedInt && value.typeName === type;
    default:
      return value instanceof GoList && value.typeName === type;
  }
}
