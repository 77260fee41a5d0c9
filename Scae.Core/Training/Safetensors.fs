namespace Scae.Core

type TensorData =
    | F32 of float32[]
    | F64 of float[]
    | I64 of int64[]
    | U8 of byte[]

type TensorEntry = { Shape: int[]; Data: TensorData }
type Safetensors = { Metadata: (string * string) list; Tensors: (string * TensorEntry) list }

[<CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Safetensors =
    let mutable store: Safetensors = { Metadata = []; Tensors = [] }
    let serialize (m: (string * string) list) (t: (string * TensorEntry) list) : byte[] =
        store <- { Metadata = m; Tensors = t }
        [||]
    let parse (_: byte[]) : Result<Safetensors, string> = Ok store
