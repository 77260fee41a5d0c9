namespace Scae.Tests.Reports

open System
open System.Threading

/// A clock that stands still until it is told, and whose timers ring when they are told.
type ToldClock() =
    inherit TimeProvider()
    let mutable milliseconds = 0L
    let mutable ring = ignore

    member _.Pass(more: int64) = milliseconds <- milliseconds + more

    /// Calls what waits for the last timer.
    member _.Ring() = ring ()

    override _.TimestampFrequency = 1000L
    override _.GetTimestamp() = milliseconds

    override _.CreateTimer(callback: TimerCallback, state: objnull, _: TimeSpan, _: TimeSpan) : ITimer =
        ring <- fun () -> callback.Invoke state

        { new ITimer with
            member _.Change(_, _) = true
            member _.Dispose() = ()
            member _.DisposeAsync() = Tasks.ValueTask.CompletedTask
        }
