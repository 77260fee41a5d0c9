/// Rules of this house that a compiler doesn't check.
module Scae.Tests.House.HouseRulesTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open System.Xml.Linq
open Scae.Tests
open Scae.Tests.Claims
open Expecto
open Scae.Core.Experiments

let private root = Expectation.root

let private sources (project: string) (pattern: string) =
    Directory.GetFiles(Path.Combine(root, project), pattern, SearchOption.AllDirectories)
    |> Array.filter (fun path -> not (Regex.IsMatch(path, @"[/\\](bin|obj)[/\\]")))
    |> Array.map (fun path -> Path.GetRelativePath(root, path).Replace('\\', '/'), File.ReadAllText path)
    |> List.ofArray

let private all =
    [
        for project in
            [
                "Scae.Tensors"
                "Scae.Core"
                "Scae.Reports"
                "Scae.Cli"
                "Scae.Tests"
                "Scae.Benchmarks"
                "examples"
            ] do
            yield! sources project "*.cs"
            yield! sources project "*.fs"
            yield! sources project "*.fsx"
    ]

/// The files in which a pattern occurs although it shouldn't.
let private offenders (pattern: string) (files: (string * string) list) =
    files |> List.filter (fun (_, text) -> Regex.IsMatch(text, pattern)) |> List.map fst

/// What has no place in the core.
let private impure =
    @"\bConsole\.|printfn|DateTime(Offset)?\.(Now|UtcNow)|Stopwatch|System\.Random\b|Random\.Shared"
    + @"|\b(File|Directory|Path|Environment|Process)\.[A-Z]|\b(File|Directory)Info\b|FileStream|HttpClient|System\.Net\b"

/// Members that F# compiles without a documentation comment, which its compiler doesn't report.
let private undocumented (assembly: Assembly) =
    let documented =
        XDocument.Load(nonNull (Path.ChangeExtension(assembly.Location, ".xml"))).Descendants(XName.Get "member")
        |> Seq.map (fun element -> (nonNull (element.Attribute(XName.Get "name"))).Value.Split('(')[0])
        |> Seq.map (fun name -> Regex.Replace(name, "``\\d+$", ""))
        |> Set.ofSeq

    [
        for kind in assembly.GetExportedTypes() do
            let name = (nonNull kind.FullName).Replace('+', '.')
            let isModule = FSharp.Reflection.FSharpType.IsModule kind

            if
                not (name.Contains '@' || name.StartsWith "<>")
                && not (
                    kind.IsNested && not isModule && FSharp.Reflection.FSharpType.IsUnion(nonNull kind.DeclaringType)
                )
            then
                let plain = Regex.Replace(name, "`\\d+$", "")
                let known = documented.Contains $"T:{name}" || documented.Contains $"T:{plain}"

                if not known && not (name.EndsWith "Module" && documented.Contains $"T:{name[.. name.Length - 7]}") then
                    name

                if isModule then
                    for method in
                        kind.GetMethods(BindingFlags.Static ||| BindingFlags.Public ||| BindingFlags.DeclaredOnly) do
                        if not method.IsSpecialName && not (documented.Contains $"M:{name}.{method.Name}") then
                            $"{name}.{method.Name}"
    ]

[<Tests>]
let tests =
    testList
        "House.HouseRules"
        [
            testCase "the rules' own search finds what it looks for"
            <| fun () ->
                all |> List.length |> shouldBeGreaterThan 80
                offenders @"\bunsafe\b" all |> shouldHaveSome

            testCase "unsafe code and processor-specific instructions stay in the kernels"
            <| fun () ->
                all
                |> List.filter (fun (path, _) ->
                    not (
                        path.StartsWith "Scae.Tensors/Kernels/"
                        || path.StartsWith "Scae.Benchmarks/"
                        || path.StartsWith "Scae.Tests/"
                    ))
                |> offenders @"\bunsafe\b|Intrinsics\.(X86|Arm)|NativePtr"
                |> shouldBeEmpty

            testCase "an operation says its formula once, for vectors of every processor; nothing above tensors does"
            <| fun () ->
                let isVectorCode = @"\bVector(64|128|256|512)?(<|\.)|Intrinsics"

                all
                |> List.filter (fun (path, _) ->
                    not (
                        Regex.IsMatch(path, "^Scae.Tensors/(Kernels|Operations|Randomness)/")
                        || path.StartsWith "Scae.Benchmarks/"
                        || path.StartsWith "Scae.Tests/"
                    ))
                |> offenders isVectorCode
                |> shouldBeEmpty

                all |> offenders isVectorCode |> shouldHaveSome

            testCase "the core has no console, clock, files, network, environment or global generator"
            <| fun () -> sources "Scae.Core" "*.fs" |> offenders impure |> shouldBeEmpty

            for words in
                [
                    "Console.Write"
                    "DateTime.UtcNow"
                    "File.ReadAllText path"
                    "Directory.Exists"
                    "new FileStream(path)"
                    "use client = new HttpClient()"
                    "Environment.GetEnvironmentVariable"
                    "Random.Shared"
                ] do
                testCase $"the rule of the core's purity notices {words}"
                <| fun () -> offenders impure [ "A.fs", words ] |> shouldEqual [ "A.fs" ]

            testCase "references point one way"
            <| fun () ->
                let references (project: string) (file: string) =
                    XDocument.Load(Path.Combine(root, project, file)).Descendants(XName.Get "ProjectReference")
                    |> Seq.map (fun element ->
                        Path.GetFileNameWithoutExtension((nonNull (element.Attribute(XName.Get "Include"))).Value))
                    |> List.ofSeq

                references "Scae.Tensors" "Scae.Tensors.csproj" |> shouldBeEmpty
                references "Scae.Core" "Scae.Core.fsproj" |> shouldEqual [ "Scae.Tensors" ]
                references "Scae.Reports" "Scae.Reports.fsproj" |> shouldBeEmpty
                references "Scae.Cli" "Scae.Cli.csproj" |> shouldEqual [ "Scae.Core"; "Scae.Reports" ]

            testCase "every version is pinned"
            <| fun () ->
                let versions =
                    XDocument
                        .Load(Path.Combine(root, "Directory.Packages.props"))
                        .Descendants(XName.Get "PackageVersion")
                    |> Seq.map (fun element -> (nonNull (element.Attribute(XName.Get "Version"))).Value)
                    |> List.ofSeq

                versions |> shouldHaveSome
                versions |> List.filter (fun version -> Regex.IsMatch(version, @"[\*\[\(]")) |> shouldBeEmpty

            testCase "no file is longer than 500 lines"
            <| fun () ->
                all |> List.filter (fun (_, text) -> text.Split('\n').Length > 501) |> List.map fst |> shouldBeEmpty

            testCase "no test sleeps, is skipped or passes by decree"
            <| fun () ->
                sources "Scae.Tests" "*.fs"
                |> List.filter (fun (path, _) -> not (path.EndsWith "HouseRulesTests.fs"))
                |> offenders @"Thread\.Sleep|\b[pf]test(Case|List|Property|Theory|Task)?\b|skip[t]est"
                |> shouldBeEmpty

            testCase "tests that count on threads or on all allocations run alone, those that start processes in turn"
            <| fun () ->
                let without (words: string) (pattern: string) =
                    let those =
                        sources "Scae.Tests" "*Tests.fs"
                        |> List.filter (fun (path, _) -> not (path.EndsWith "HouseRulesTests.fs"))
                        |> List.filter (fun (_, text) -> Regex.IsMatch(text, pattern))

                    those |> List.length |> shouldBeGreaterThan 5
                    those |> List.filter (fun (_, text) -> not (Regex.IsMatch(text, words))) |> List.map fst

                @"onThreads|SameOnAnyThreads|GetTotalAllocatedBytes|GC\.CollectionCount"
                |> without "testAlone|testSequenced"
                |> shouldBeEmpty

                @"Process\.Start|open Scae\.Tests\.Commands\.CommandLine" |> without "inTurn" |> shouldBeEmpty

            testCase "nothing depends on a folder of one machine"
            <| fun () ->
                all
                |> List.filter (fun (path, _) -> not (path.EndsWith "HouseRulesTests.fs"))
                |> offenders @"""/(home|root|work|tmp)/"
                |> shouldBeEmpty

            testCase "every public type and function of the core has a docstring"
            <| fun () -> undocumented typeof<Experiment>.Assembly |> shouldBeEmpty

            testCase "the docstring rule notices what has none"
            <| fun () -> undocumented (Assembly.GetExecutingAssembly()) |> shouldHaveSome

            testCase "every file of tests has its list where the runner looks"
            <| fun () ->
                let listed =
                    Assembly.GetExecutingAssembly().GetTypes()
                    |> Array.filter (fun t ->
                        t.GetProperties(BindingFlags.Public ||| BindingFlags.Static)
                        |> Array.exists (fun p -> p.IsDefined(typeof<TestsAttribute>, false)))
                    |> Array.map (fun t -> string t.FullName)
                    |> Set.ofArray

                let written =
                    sources "Scae.Tests" "*Tests.fs"
                    |> List.map (fun (path, _) -> path.Replace(".fs", "").Replace('/', '.'))

                written |> List.length |> shouldBeGreaterThan 40
                written |> List.filter (fun name -> not (listed.Contains name)) |> shouldBeEmpty
        ]
