namespace Scae.Core.Experiments

open System
open Scae.Tensors
open Scae.Core.Data
open Scae.Core.Metrics
open Scae.Core.Models
open Scae.Core.Figures
open Scae.Core.Training

/// How the pictures show a method.
type ConstellationsStyle =
    {
        /// What training minimises.
        Loss: string
        /// Whether predictions are shown under the best relabelling of each scene. That suits a method that groups points but
        /// doesn't recognise templates.
        Relabelled: bool
    }

/// The pictures of the constellations experiment.
[<RequireQualifiedAccess>]
module ConstellationsFigures =
    /// The colour of capsule k and of template k.
    let internal colour (k: int) : Colour = Palette.category k

    /// The training loss, whatever it is, and the Chamfer distance in validation.
    let private chamferPanel (loss: string) (history: History) : Panel =
        let title, axis, ofTraining, ofValidation =
            if loss = "chamfer" then
                "Chamfer distance", "chamfer", "training", "validation"
            else
                "Training loss and Chamfer distance", $"{loss}; chamfer", $"training: {loss}", "validation: chamfer"

        TrainingCurves.panel title axis history
        |> TrainingCurves.curve ofTraining Palette.orange history _.TrainLoss
        |> TrainingCurves.curve ofValidation Palette.blue history (TrainingCurves.metric "chamfer")

    // Random labels score this under the best of the 3! relabellings of 4 + 4 + 3 points, not 4/11.
    [<Literal>]
    let private ChanceBest = 53.3

    let private chanceBest (label: string) (templates: Template list) (panel: Panel) : Panel =
        if templates = Template.published then
            Panel.horizontal label Colour.grey ChanceBest panel
        else
            panel

    let internal chanceRaw (label: string) (templates: Template list) : Panel -> Panel =
        Panel.horizontal label Colour.grey (100.0 / float templates.Length)

    let private recoveryPanel (templates: Template list) (history: History) : Panel =
        TrainingCurves.panel "Recovery" "points [%]" history
        |> Panel.yLimits 0.0 100.0
        |> TrainingCurves.curve "best match" Palette.blue history (TrainingCurves.percent "recovery")
        |> TrainingCurves.curve "raw" Palette.vermilion history (TrainingCurves.percent "raw_recovery")
        |> chanceBest "chance: best match, raw" templates
        |> chanceRaw (if templates = Template.published then "" else "chance, raw") templates

    let private curves (templates: Template list) (loss: string) (history: History) : Figure =
        Figure.create "training-curves" "Training" [ [ chamferPanel loss history; recoveryPanel templates history ] ]
        |> Figure.panelSize 420.0 320.0

    /// The points [n, 2] of one scene as two arrays.
    let internal coordinates (points: Tensor) (scene: int) : float[] * float[] =
        let values = Rows.values scene points

        Array.init (values.Length / 2) (fun i -> float values[2 * i]),
        Array.init (values.Length / 2) (fun i -> float values[2 * i + 1])

    let internal scenePanel (title: string) : Panel =
        Panel.create title
        |> Panel.frame Frame.Box
        |> Panel.equalAspect
        |> Panel.xLimits -4.5 4.5
        |> Panel.yLimits -4.5 4.5

    let private slice (scene: int) (perScene: int) (labels: int[]) : int[] =
        Array.sub labels (scene * perScene) perScene

    /// How many points have the label that they should.
    let internal pointsRight (labels: int[]) (truth: int[]) : string =
        $"{Seq.map2 (=) labels truth |> Seq.filter id |> Seq.length} of {labels.Length} points"

    /// Points coloured by label; where a label is wrong, a black cross on top.
    let internal labelled (x: float[]) (y: float[]) (labels: int[]) (truth: int[]) (panel: Panel) : Panel =
        let wrong =
            [|
                for i in 0 .. labels.Length - 1 do
                    if labels[i] <> truth[i] then
                        i
            |]

        let at (values: float[]) = wrong |> Array.map (fun i -> values[i])

        panel
        |> Panel.colouredPoints Marker.Circle 11.0 (Array.map colour labels) x y
        |> Panel.points "" Marker.Cross 8.0 Colour.black (at x) (at y)

    /// The shape that each capsule draws, as the outline around its template's points, in the colour of the label it stands for.
    let private shapes (templates: Template list) (relabelling: int[]) (x: float[]) (y: float[]) : Panel -> Panel =
        let starts = templates |> List.scan (fun at template -> at + template.Points.Length) 0

        Panel.each (Seq.indexed (Seq.zip templates starts)) (fun (k, (template, start)) ->
            let order = Template.outline template |> Array.map (fun i -> start + i)
            let pick (values: float[]) = order |> Array.map (fun i -> values[i])
            let own (values: float[]) = Array.sub values start template.Points.Length

            let colour = colour relabelling[k]

            Panel.polygon colour 0.15 (pick x) (pick y)
            >> Panel.points "" Marker.Circle 5.0 colour (own x) (own y))

    /// Truth, prediction and drawn shapes of one scene.
    let private column
        (style: ConstellationsStyle)
        (data: ConstellationsData)
        (decoded: Tensor)
        (scene: int)
        : Panel list =
        let templates = data.Templates
        let n = Template.pointCount templates
        let truth = slice scene n data.Shown.Labels

        let predicted = ConstellationCapsules.assign templates decoded data.Shown.Points |> slice scene n

        let relabelling =
            if style.Relabelled then
                Recovery.bestRelabelling templates.Length truth predicted
            else
                Array.init templates.Length id

        let labels = predicted |> Array.map (fun label -> relabelling[label])
        let x, y = coordinates data.Shown.Points scene
        let drawnX, drawnY = coordinates decoded scene

        let distance =
            (decoded.slice(0, scene, scene + 1).chamfer(data.Shown.Points.slice (0, scene, scene + 1))).toScalar()

        [
            scenePanel $"scene {scene + 1}" |> labelled x y truth truth
            scenePanel (pointsRight labels truth) |> labelled x y labels truth
            scenePanel $"chamfer {distance:F2}"
            |> Panel.points "" Marker.Circle 11.0 Colour.lightGrey x y
            |> shapes templates relabelling drawnX drawnY
        ]

    /// Which colour stands for which template.
    let internal templateKeys (templates: Template list) : Figure -> Figure =
        Figure.keys
            (Swatch.Point Marker.Circle)
            [ for k, template in List.indexed templates -> template.Name, colour k ]

    let private examples (style: ConstellationsStyle) (data: ConstellationsData) (decoded: Tensor) : Figure =
        let columns = [ for scene in 0 .. data.Shown.Points.shape[0] - 1 -> column style data decoded scene ]

        Figure.create "examples" "Scenes that training has not seen" (List.transpose columns)
        |> Figure.panelSize 220.0 220.0
        |> Figure.rowLabels [ "truth"; "predicted"; "drawn shapes" ]
        |> Figure.note (
            if style.Relabelled then
                "A capsule has the colour of the group that it matches best in its scene, whatever shape it draws; × marks a point in the wrong group."
            else
                "Predicted colours as they are; × marks a point of another template."
        )
        |> templateKeys data.Templates

    let internal confusion (style: ConstellationsStyle) (templates: Template list) (reading: ConstellationsReading) =
        let k, n = templates.Length, Template.pointCount templates
        let predicted = ConstellationCapsules.assign templates reading.Drawn reading.Scenes.Points
        let score = Recovery.evaluate k n reading.Scenes.Labels predicted

        let counts =
            if style.Relabelled then
                score.BestConfusion
            else
                score.Confusion

        let names = templates |> List.map _.Name

        Figure.single
            "confusion"
            (Panel.create (
                if style.Relabelled then
                    "Points of each template under the best match"
                else
                    "Points of each template"
             )
             |> Panel.axes "predicted" "true"
             |> Panel.confusion 1.0 "P1" names names counts)
        |> Figure.panelSize 560.0 430.0

    /// Training curves, examples and confusion of a method that draws templates.
    let all
        (style: ConstellationsStyle)
        (data: ConstellationsData)
        (read: Split -> ConstellationsReading)
        (history: History)
        : Figure list =
        [
            curves data.Templates style.Loss history
            examples style data (Rows.first ConstellationsData.Shown (read Validation).Drawn)
            confusion style data.Templates (read Test)
        ]

    /// One frame for each snapshot: predictions and drawn shapes of the shown scenes, and the growing curves below.
    let animation (style: ConstellationsStyle) (data: ConstellationsData) (history: History) : Animation option =
        let chamfer = TrainingCurves.metric "chamfer"

        let highest =
            history.Evaluations
            |> List.collect (fun e -> [ e.TrainLoss; chamfer e ])
            |> List.filter Double.IsFinite
            |> List.fold max 0.1
            |> min 2.0

        // A growing curve, on axes that stay the same from frame to frame.
        let growing title colour most value (until: History) =
            TrainingCurves.panel title "" history
            |> Panel.yLimits 0.0 most
            |> TrainingCurves.curve "" colour until value

        let curves (until: History) =
            [
                growing
                    (if style.Loss = "chamfer" then
                         "Chamfer, training"
                     else
                         "Training loss")
                    Palette.orange
                    highest
                    _.TrainLoss
                    until
                growing "Chamfer, validation" Palette.blue highest chamfer until
                growing "Recovery [%]" Palette.green 100.0 (TrainingCurves.percent "recovery") until
                |> chanceBest "" data.Templates
                growing "Raw recovery [%]" Palette.vermilion 100.0 (TrainingCurves.percent "raw_recovery") until
                |> chanceRaw "" data.Templates
            ]

        let frame (snapshot: Snapshot) (until: History) =
            let decoded = snd snapshot.Values.Head

            let scenes =
                [
                    for scene in 0 .. data.Shown.Points.shape[0] - 1 ->
                        match column style data decoded scene with
                        | [ _; predicted; drawn ] -> [ predicted; drawn ]
                        | panels -> panels
                ]

            Figure.create "training" $"Step {snapshot.Step}" (List.transpose scenes @ [ curves until ])
            |> Figure.panelSize 215.0 200.0
            |> Figure.note "Dashed: what random labels score."

        TrainingCurves.animation 8.0 frame history
