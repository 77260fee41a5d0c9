// dotnet tool restore && dotnet cake [--target Build|Format|Test|Bench|Figures|Verify|Pack|Install|Publish]

var target = Argument("target", "Default");
var configuration = Argument("configuration", "Release");
var solution = "./Scae.sln";
var artifacts = Directory("./artifacts");

void Run(string program, string arguments)
{
    var exitCode = StartProcess(program, arguments);
    if (exitCode != 0) throw new Exception($"{program} {arguments} ended with exit code {exitCode}");
}

void Dotnet(string arguments) => Run("dotnet", arguments);

void Scae(string arguments) => Dotnet($"run -c {configuration} --no-build --project Scae.Cli -- {arguments}");

Task("Build")
    .Description("Restores and compiles everything; a warning is an error. With --built it is taken as done.")
    .WithCriteria(() => !HasArgument("built"))
    .Does(() => DotNetBuild(solution, new DotNetBuildSettings { Configuration = configuration, NoLogo = true }));

Task("Format")
    .Description("Fails where the sources aren't formatted.")
    .IsDependentOn("Build")
    .Does(() =>
    {
        // The C# formatter compiles what it checks, so it needs the F# assemblies of this configuration.
        Environment.SetEnvironmentVariable("Configuration", configuration);
        Dotnet($"format {solution} --verify-no-changes --no-restore");
        Dotnet("fantomas --check Scae.Core Scae.Reports Scae.Tests examples");
    });

Task("Test")
    .Description("Runs every test.")
    .IsDependentOn("Build")
    .Does(() => Dotnet($"run -c {configuration} --no-build --project Scae.Tests"));

Task("Bench")
    .Description("Times kernels and training steps.")
    .IsDependentOn("Build")
    .Does(() =>
    {
        Dotnet($"run -c {configuration} --no-build --project Scae.Benchmarks -- race-matmul");
        Scae("bench");
    });

Task("Figures")
    .Description("Trains constellations and leaves its pictures in artifacts/constellations.")
    .IsDependentOn("Build")
    .Does(() =>
    {
        var run = artifacts + Directory("constellations");
        if (DirectoryExists(run)) DeleteDirectory(run, new DeleteDirectorySettings { Recursive = true, Force = true });
        Scae($"train constellations --out {run}");
    });

Task("Verify")
    .Description("Runs what paper-specs promises and fails where a target doesn't hold.")
    .IsDependentOn("Build")
    .Does(() => Scae("verify"));

var packages = artifacts + Directory("packages");

Task("Pack")
    .Description("Leaves NuGet packages of the libraries and of the tool scae, for this kind of machine, in artifacts/packages.")
    .IsDependentOn("Build")
    .Does(() =>
    {
        foreach (var project in new[] { "Scae.Tensors", "Scae.Core", "Scae.Cli" })
        {
            DotNetPack($"./{project}", new DotNetPackSettings
            {
                Configuration = configuration,
                NoBuild = true,
                NoLogo = true,
                OutputDirectory = packages,
            });
        }
    });

// Blocks of one language on a page.
IEnumerable<string> Blocks(string page, string language) =>
    System.Text.RegularExpressions.Regex.Matches(System.IO.File.ReadAllText(page), "```" + language + "\\n(.*?)```", System.Text.RegularExpressions.RegexOptions.Singleline)
        .Select(match => match.Groups[1].Value);

Task("Install")
    .Description("Installs the tool from artifacts/packages and trains with it, and from a fresh F# and a fresh C# project.")
    .IsDependentOn("Pack")
    .Does(() =>
    {
        var place = System.IO.Directory.CreateTempSubdirectory("scae-install-").FullName;
        try
        {
            // Our own packages come from this folder only; what they depend on comes from the usual package cache.
            string source = MakeAbsolute(packages).FullPath, cache = System.IO.Path.Combine(place, "cache");
            string version = XmlPeek("./Directory.Build.props", "/Project/PropertyGroup/Version");
            string known = System.Environment.GetEnvironmentVariable("NUGET_PACKAGES")
                ?? System.IO.Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            string earlier = System.IO.Path.Combine(known, "scae.core", version);
            if (DirectoryExists(earlier)) throw new Exception($"{earlier}: a package of this version would be tried in place of the new one; remove it");

            // If NUGET_PACKAGES is set, it overrides globalPackagesFolder, so it is set to the same folder.
            System.Environment.SetEnvironmentVariable("NUGET_PACKAGES", cache);
            System.IO.File.WriteAllText(
                System.IO.Path.Combine(place, "NuGet.config"),
                $"<configuration><config><add key=\"globalPackagesFolder\" value=\"{cache}\" /></config><packageSources><add key=\"scae\" value=\"{source}\" /></packageSources><fallbackPackageFolders><add key=\"known\" value=\"{known}\" /></fallbackPackageFolders></configuration>");
            Dotnet($"tool install scae --version {version} --tool-path \"{place}/tools\" --configfile \"{place}/NuGet.config\"");
            string scae = System.IO.Path.Combine(place, "tools", IsRunningOnWindows() ? "scae.exe" : "scae");
            Run(scae, $"train constellations --preset quick --quiet --out \"{place}/run\"");
            if (!FileExists($"{place}/run/figures/training.gif")) throw new Exception("the installed tool has left no animation");
            foreach (var (language, suffix, main) in new[] { ("fsharp", "fsproj", "Program.fs"), ("csharp", "csproj", "Program.cs") })
            {
                string folder = System.IO.Path.Combine(place, language);
                System.IO.Directory.CreateDirectory(folder);
                System.IO.File.WriteAllText(System.IO.Path.Combine(folder, main), string.Join("\n", Blocks("./Scae.Core/README.md", language)));
                System.IO.File.WriteAllText(
                    System.IO.Path.Combine(folder, $"fresh.{suffix}"),
                    "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup>"
                    + (suffix == "fsproj" ? "<ItemGroup><Compile Include=\"Program.fs\" /></ItemGroup>" : string.Empty)
                    + $"<ItemGroup><PackageReference Include=\"Scae.Core\" Version=\"{version}\" /></ItemGroup></Project>");
                Dotnet($"run -c Release --project \"{folder}\"");
            }
        }
        finally
        {
            System.IO.Directory.Delete(place, true);
        }
    });

Task("Publish")
    .Description("Leaves scae as one file that needs no .NET for each --rid, all three unless given, in artifacts/RID.")
    .Does(() =>
    {
        // A tree of its own: code for another machine must not take the place of this one's.
        foreach (var rid in Argument("rid", "linux-x64,win-x64,osx-arm64").Split(','))
        {
            Dotnet($"publish Scae.Cli -c {configuration} -r {rid} --self-contained --artifacts-path artifacts/publish -p:PublishSingleFile=true -p:IncludeNativeLibrariesForSelfExtract=true -p:DebugType=none -o artifacts/{rid}");
        }
    });

Task("Default")
    .Description("Builds and tests.")
    .IsDependentOn("Test");

RunTarget(target);
