namespace Scae.Core.Experiments

open Scae.Core.Data
open Scae.Core.Figures
open Scae.Core.Models
open Scae.Core.Training

/// Pictures of how attend-infer-repeat counts under each condition.
[<RequireQualifiedAccess>]
module AirConditionFigures =
    // How many scenes of each condition are shown, and from how many sampled ones they are chosen (see varied).
    [<Literal>]
    let private Shown = 6

    [<Literal>]
    let private Sampled = 16

    /// The share of scenes counted right, by condition and true count.
    let private table (settings: AirSettings) (conditions: ConditionCounts list) : Figure =
        let columns = "all" :: [ for n in 0 .. settings.Scenes.Most -> AirFigures.digits n ]

        let share (counts: ConditionCounts) (column: int) =
            let right =
                Array.zip counts.True counts.Inferred
                |> Array.filter (fun (truth, _) -> column = 0 || truth = column - 1)
                |> Array.map (fun (truth, inferred) -> if truth = inferred then 1.0 else 0.0)

            if right.Length = 0 then nan else Array.average right

        let rows = conditions |> List.map _.Condition.Title
        let counted = Array.ofList conditions

        Panel.create "Scenes counted right under each condition"
        |> Panel.axes "digits" ""
        |> Panel.heatmap
            ColourMap.blues
            (0.0, 1.0)
            rows
            columns
            "P1"
            (Array2D.init rows.Length columns.Length (fun i j -> share counted[i] j))
        |> Figure.single "conditions"
        |> Figure.panelSize 620.0 (80.0 + 34.0 * float rows.Length)

    /// The first scene of each number of digits, from the most to the fewest, then the second of each, and so on.
    let private varied (scenes: Scenes) : int list =
        [ 0 .. scenes.Truth.Length - 1 ]
        |> List.groupBy (fun i -> scenes.Truth[i].Length)
        |> List.collect (fun (count, places) -> places |> List.indexed |> List.map (fun (turn, i) -> turn, -count, i))
        |> List.sort
        |> List.truncate Shown
        |> List.map (fun (_, _, i) -> i)

    /// A row for each condition: scenes with the windows of the steps that are present.
    let private examples (settings: AirSettings) (data: AirData) (model: Air) : Figure =
        let read = AirReading.ofScenes settings model

        let panels (condition: AirCondition) =
            let scenes = condition.Sample Sampled
            let reading = read scenes

            [
                for i in varied scenes ->
                    let count = reading.Counts[i]

                    AirFigures.look
                        (Rows.values i scenes.Images)
                        scenes.Truth[i]
                        (Array.truncate count reading.Windows[i])
                        (Array.truncate count reading.Presence[i])
            ]

        Figure.create "conditions-examples" "Scenes of each condition" (data.Conditions |> List.map panels)
        |> Figure.panelSize 120.0 140.0
        |> Figure.rowLabels (data.Conditions |> List.map _.Title)
        |> AirFigures.stepKeys settings

    /// Both pictures, from what was counted under each condition.
    let all (settings: AirSettings) (data: AirData) (model: Air) (conditions: ConditionCounts list) : Figure list =
        [ table settings conditions; examples settings data model ]
