"""What a relying party embeds, so that it refuses a backup certificate as soon as it is revoked."""
