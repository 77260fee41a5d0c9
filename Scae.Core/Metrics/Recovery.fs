namespace Scae.Core

[<RequireQualifiedAccess>]
module Recovery =
    let raw (p: int[]) (t: int[]) = (Array.map2 (fun a b -> if a = b then 1.0 else 0.0) p t |> Array.average)

    let private perms = [ [|0;1;2|]; [|0;2;1|]; [|1;0;2|]; [|1;2;0|]; [|2;0;1|]; [|2;1;0|] ]

    let bestRelabelling (_: int) (p: int[]) (t: int[]) : int[] =
        perms |> List.maxBy (fun q -> Seq.sum [ for i in 0 .. p.Length - 1 -> if q[p[i]] = t[i] then 1.0 else 0.0 ])

    let best (k: int) (n: int) (p: int[]) (t: int[]) =
        [ for s in 0 .. p.Length / n - 1 ->
            let p, t = p[s*n .. s*n+n-1], t[s*n .. s*n+n-1]
            let q = bestRelabelling k p t
            Seq.sum [ for i in 0 .. n-1 -> if q[p[i]] = t[i] then 1.0 else 0.0 ] / float n ] |> List.average
