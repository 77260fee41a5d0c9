/// Which tests run beside which. Most run beside all others; those that count on the number of threads, or on what
/// the whole process allocates, come after all others.
module Scae.Tests.Turns

open Expecto

/// A list of tests that call the program or start processes: one after the other, beside those of other lists.
let inTurn (name: string) (tests: Test list) : Test = testSequencedGroup name (testList name tests)

/// A test that depends on the number of threads, or on what the whole process allocates: it runs after all others, alone.
let testAlone (name: string) (body: unit -> unit) : Test = testSequenced (testCase name body)
