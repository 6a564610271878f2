/** Which leads are selected: some of the rows, or all that match the filters. Pure, never changed in place. */

/** Leads that the service takes by id in one request. */
export const IDS_MAX = 1_000;

export class Selection {
  static readonly NONE = new Selection(new Set(), false, undefined);

  private constructor(readonly ids: ReadonlySet<number>, readonly isAll: boolean, private readonly last: number | undefined) {}

  get isEmpty(): boolean {
    return !this.isAll && this.ids.size === 0;
  }

  has(lead: number): boolean {
    return this.isAll || this.ids.has(lead);
  }

  /** One row, or with `isRange` all from the last one to this in the order of the rows. Out of "all", the rows that are held stay without this one. */
  toggle(lead: number, order: readonly number[], isRange: boolean): Selection {
    if (this.isAll) return new Selection(new Set(order.filter((id) => id !== lead)), false, lead);
    const ids = new Set(this.ids);
    const [from, to] = [this.last === undefined ? -1 : order.indexOf(this.last), order.indexOf(lead)];
    if (isRange && from >= 0 && to >= 0) for (const id of order.slice(Math.min(from, to), Math.max(from, to) + 1)) ids.add(id);
    else if (!ids.delete(lead)) ids.add(lead);
    return new Selection(ids, false, lead);
  }

  /** These rows; none, if they are all selected. */
  withAll(order: readonly number[]): Selection {
    return !this.isAll && order.length > 0 && order.every((id) => this.ids.has(id)) ? Selection.NONE : new Selection(new Set(order), false, undefined);
  }

  /** All leads that match the filters, those that were not read included. */
  all(): Selection {
    return new Selection(new Set(), true, undefined);
  }
}
