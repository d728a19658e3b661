import { EarshotError } from '../../errors/earshot-error.ts';
import type { GadgetPlan, PlannedFunction } from './gadget-plan.ts';

/** What a controller has beside the endpoint for control. */
export interface EndpointSupply {
  readonly in: number;
  readonly out: number;
  readonly isochronous: boolean;
}

type Counts = Pick<EndpointSupply, 'in' | 'out'>;

/** What a plan takes. */
export function endpointsNeeded({ functions }: Pick<GadgetPlan, 'functions'>): Counts {
  return {
    in: functions.reduce((sum, { endpoints }) => sum + endpoints.in, 0),
    out: functions.reduce((sum, { endpoints }) => sum + endpoints.out, 0),
  };
}

/** Whether the plan can be bound to a controller with that supply. */
export function fits(plan: Pick<GadgetPlan, 'functions'>, supply: EndpointSupply): boolean {
  return enough(endpointsNeeded(plan), supply) && withoutIsochronous(plan, supply).length === 0;
}

/** Throws GADGET_ENDPOINTS saying what does not fit and what to switch off. */
export function checkEndpoints(
  plan: Pick<GadgetPlan, 'functions'>,
  supply: EndpointSupply,
  controller: string,
): void {
  if (fits(plan, supply)) return;
  const needed = endpointsNeeded(plan);
  const isochronous = withoutIsochronous(plan, supply);
  const faults = [
    ...(enough(needed, supply) ? [] : [shortage(plan, needed, supply, controller)]),
    ...isochronous.map(
      ({ type, switch: key }) =>
        `The controller ${controller} has no isochronous endpoints, which the function ${type} needs; set ${key} to none.`,
    ),
  ];
  throw new EarshotError('GADGET_ENDPOINTS', faults.join(' '), {
    details: { controller, needed, available: { in: supply.in, out: supply.out } },
  });
}

function enough(needed: Counts, supply: Counts): boolean {
  return needed.in <= supply.in && needed.out <= supply.out;
}

function withoutIsochronous(
  { functions }: Pick<GadgetPlan, 'functions'>,
  supply: EndpointSupply,
): readonly PlannedFunction[] {
  return supply.isochronous ? [] : functions.filter(({ endpoints }) => endpoints.isochronous);
}

function shortage(
  { functions }: Pick<GadgetPlan, 'functions'>,
  needed: Counts,
  supply: Counts,
  controller: string,
): string {
  const parts = functions.map(({ purpose, endpoints }) => `${purpose} ${counted(endpoints)}`);
  return `The USB functions need ${counted(needed)} endpoints (${parts.join('; ')}), and the controller ${controller} has ${counted(supply)}. ${remedy(functions, needed, supply)}`;
}

function remedy(functions: readonly PlannedFunction[], needed: Counts, supply: Counts): string {
  const single = functions.filter(({ endpoints }) =>
    enough({ in: needed.in - endpoints.in, out: needed.out - endpoints.out }, supply),
  );
  const candidates = single.length > 0 ? single : functions;
  const names = candidates.map(({ switch: key }) => key).join(', ');
  return `Switch off ${single.length > 0 ? 'one' : 'some'} of ${names}.`;
}

function counted({ in: inputs, out }: Counts): string {
  return `${inputs} IN and ${out} OUT`;
}
