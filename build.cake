// dotnet tool restore && dotnet cake [--target Build|Format|Test|Bench|Figures|Verify|Pack]

var target = Argument("target", "Default");
var configuration = Argument("configuration", "Release");
var solution = "./Scae.sln";
var artifacts = Directory("./artifacts");

void Scae(string arguments)
{
    var exitCode = StartProcess("dotnet", $"run -c {configuration} --no-build --project Scae.Cli -- {arguments}");
    if (exitCode != 0) throw new Exception($"scae {arguments} ended with exit code {exitCode}");
}

void Dotnet(string arguments)
{
    var exitCode = StartProcess("dotnet", arguments);
    if (exitCode != 0) throw new Exception($"dotnet {arguments} ended with exit code {exitCode}");
}

Task("Build")
    .Description("Restores and compiles everything; a warning is an error.")
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

Task("Pack")
    .Description("Leaves NuGet packages of the libraries in artifacts/packages.")
    .IsDependentOn("Build")
    .Does(() =>
    {
        foreach (var project in new[] { "Scae.Tensors", "Scae.Core" })
        {
            DotNetPack($"./{project}", new DotNetPackSettings
            {
                Configuration = configuration,
                NoBuild = true,
                NoLogo = true,
                OutputDirectory = artifacts + Directory("packages"),
            });
        }
    });

Task("Default")
    .Description("Builds and tests.")
    .IsDependentOn("Test");

RunTarget(target);
