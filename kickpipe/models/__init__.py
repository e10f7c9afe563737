"""The networks: VAE, latent U-Net, keyword encoder, HiFi-GAN generator and discriminators.

Modules only: they take plain numbers and tensors, and know no files and no params object.
"""
