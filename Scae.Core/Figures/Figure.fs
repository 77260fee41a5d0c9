namespace Scae.Core

type Figure = { Name: string }
type Animation = { Name: string }

[<RequireQualifiedAccess>]
module ConstellationsFigures =
    let all _ _ _ _ : Figure list = []
    let animation _ _ : Animation option = None

[<RequireQualifiedAccess>]
module Recovery =
    let raw (p: int[]) (t: int[]) = (Array.map2 (fun a b -> if a = b then 1.0 else 0.0) p t |> Array.average)
    let best (_: int) (n: int) (p: int[]) (t: int[]) =
        let perms = [ [|0;1;2|]; [|0;2;1|]; [|1;0;2|]; [|1;2;0|]; [|2;0;1|]; [|2;1;0|] ]
        [ for s in 0 .. p.Length / n - 1 ->
            [ for q in perms -> Seq.sum [ for i in s*n .. s*n+n-1 -> if q[p[i]] = t[i] then 1.0 else 0.0 ] / float n ] |> List.max ] |> List.average
