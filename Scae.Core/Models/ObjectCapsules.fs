namespace Scae.Core.Models

open Scae.Tensors
open Scae.Core.Layers

/// How object capsules explain parts.
type Objects =
    {
        Votes: CapsuleVotes
        /// ln a_km + ln N(x_m; μ_km, s_km²) of each capsule and, last, the same of the dummy, [b, K + 1, M]. Not normalised.
        Joint: Tensor
        /// Responsibilities of capsules and dummy for parts, [b, K + 1, M]; sums to 1 over capsules and dummy.
        Posterior: Tensor
        /// How many parts each capsule explains, [b, K]: the posterior summed over parts, in all at most M.
        Mass: Tensor
        /// â_k = max_m a_km, [b, K].
        Prior: Tensor
    }

/// The mixture of object capsules' votes for the poses of parts (Kosiorek et al. 2019, eq. 7–9; the details are the released
/// program's).
[<RequireQualifiedAccess>]
module ObjectCapsules =
    // The dummy's density and its mixing weight are both 0.01.
    let private dummy = -4.0 * log 10.0

    /// How votes explain parts whose poses are x [b, M, 6]. The mixing weights a_km aren't normalised, so raising all of them
    /// raises the likelihood; the sparsity losses hold them down.
    let explain (poses: Tensor) (votes: CapsuleVotes) : Objects =
        let b, m = poses.shape[0], poses.shape[1]
        let real = Logarithm.safe votes.VotePresence + poses.isotropicLogLikelihood (votes.Poses, votes.Scales)
        let joint = Tensor.cat ([| real; Tensor.full ([| b; 1; m |], dummy, poses.dtype) |], 1)
        let posterior = joint.softmax 1

        {
            Votes = votes
            Joint = joint
            Posterior = posterior
            Mass = (posterior.slice (1, 0, posterior.shape[1] - 1)).sum 2
            Prior = votes.VotePresence.max 2
        }

    /// Σ_m d_m ln p(x_m), averaged over examples, for parts of presence d [b, M]; a scalar.
    let logLikelihood (presence: Tensor) (objects: Objects) : Tensor =
        ((presence * objects.Joint.logsumexp 1).sum 1).mean()
