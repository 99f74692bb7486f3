"""The torture: every promise about faults, tried at full size, measured and written down.

`python -m tests.faults.torture [--piece NAME]... [--size quick|full] [--seed N] [--database KIND]`
runs the pieces, prints the seed and the figures, and ends non-zero when a target is missed. At full
size (`make torture`) the figures go into the table of docs/reliability.md; rows that were not run
keep their values and their date.

A piece is a module of this package with a tuple `PIECES`:

    async def race(trial: Trial) -> list[Figure]:
        slots = trial.at(quick=20, full=100)
        database = connect(await trial.database_url())
        ...
        trial.tell(f"{done} of {slots} slots")  # on long work, now and then
        return [Figure("One slot, one winner", f"50 x {slots}", "0 overlaps", f"{overlaps}",
                       is_held=overlaps == 0)]

    PIECES = (Piece("racers", race),)

- `Trial` (tests/faults/torture/figures.py) has the size, the seed, a folder of its own, and makes
  fresh databases with all tables of the kind that is being tried.
- `Piece.databases` says which kinds it runs on: both by default, `(NONE,)` for what needs none.
- A piece draws all chance from `random.Random(trial.seed)`, awaits, raises nothing for a missed
  target (it says so in the figure), and raises for anything that it could not measure.
- tests/faults/test_torture.py runs every piece at the quick size, unless it says
  `in_tests=False` because tests of its own do.
- Claims are short and stay the same from run to run: claim and database name a row of the table.
"""
