namespace Scae.Core.Layers

open Scae.Tensors

/// A recurrent cell with n units: Input [in, 4n] with bias [4n], and Recurrent [n, 4n]. The gates are in the order
/// input, forget, output, candidate.
type LongShortTermMemory = { Input: Linear; Recurrent: Tensor }

/// What a cell remembers: h and c, both [b, n].
type CellState = { Hidden: Tensor; Cell: Tensor }

/// Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).
[<RequireQualifiedAccess>]
module LongShortTermMemory =
    /// Weights normal with deviation √(1 / fan-in), biases 0 except the forget gate's, 1.
    let init (inputs: int) (units: int) (dtype: Dtype) (key: Key) : LongShortTermMemory =
        let gain = sqrt 0.5

        {
            Input =
                {
                    Weight = Initialization.he gain inputs dtype [ inputs; 4 * units ] (key.Named "input")
                    Bias =
                        Tensor.cat (
                            [| for gate in 0..3 -> Tensor.full ([| units |], (if gate = 1 then 1.0 else 0.0), dtype) |],
                            0
                        )
                }
            Recurrent = Initialization.he gain units dtype [ units; 4 * units ] (key.Named "recurrent")
        }

    /// The state before the first input: zeros for b sequences.
    let start (layer: LongShortTermMemory) (b: int) : CellState =
        let zeros = Tensor.zeros ([| b; layer.Recurrent.shape[0] |], layer.Recurrent.dtype)
        { Hidden = zeros; Cell = zeros }

    /// One step: input x [b, in] → the next state. c ← σ(f)·c + σ(i)·tanh(g); h ← σ(o)·tanh(c).
    let step (layer: LongShortTermMemory) (state: CellState) (x: Tensor) : CellState =
        let n = layer.Recurrent.shape[0]
        let sums = Linear.forward layer.Input x + state.Hidden.linear layer.Recurrent
        let gates = (sums.slice (1, 0, 3 * n)).sigmoid()
        let gate (i: int) = gates.slice (1, i * n, (i + 1) * n)
        let candidate = (sums.slice (1, 3 * n, 4 * n)).tanh()
        let cell = gate 1 * state.Cell + gate 0 * candidate
        { Hidden = gate 2 * cell.tanh (); Cell = cell }
